/*
 * The validators of the recognisers of persons, firms and vehicles: is what the
 * pattern matched a real one, and does its form alone say so?
 *
 * A form is VERDICT_VALID where few ordinary texts have it and hold the rule by
 * chance: letters in fixed places, groups as on the card, a date and a check digit
 * over many digits.  Bare digits under a check digit that lets one in ten through
 * are VERDICT_WEAK, and so are rare spellings.  The pictures in recognisers_*.c see to
 * the groups; a check looks at characters, and at what stands around them.
 */
#ifndef POLICY_DETECT_CHECK_H
#define POLICY_DETECT_CHECK_H

#include <stdbool.h>

#include "policy/detect/recogniser.h"

/* Births later than this are in nobody's papers while this program is in use; a
 * clock would make the same text give other findings next year. */
#define CHECK_LAST_YEAR 2035

/* check_china.c, check_china_plate.c, check_china_islands.c */
enum verdict check_cn_resident_id(const struct candidate *c);
enum verdict check_cn_uscc(const struct candidate *c);
enum verdict check_cn_mobile(const struct candidate *c);
enum verdict check_cn_plate(const struct candidate *c);
void check_cn_plate_value(const struct candidate *c, const char **start, size_t *size);
enum verdict check_hk_id(const struct candidate *c);
void check_hk_id_value(const struct candidate *c, const char **start, size_t *size);
enum verdict check_tw_id(const struct candidate *c);

/* check_china_regions.c: GB/T 2260 with what it once held.  digits: at least four. */
bool check_is_cn_province(const char *digits);
bool check_is_cn_prefecture(const char *digits);

/* check_europe.c, check_europe_south.c, check_europe_north.c */
enum verdict check_uk_nino(const struct candidate *c);
enum verdict check_uk_nhs(const struct candidate *c);
enum verdict check_de_tax_id(const struct candidate *c);
enum verdict check_fr_nir(const struct candidate *c);
enum verdict check_it_codice_fiscale(const struct candidate *c);
enum verdict check_es_dni(const struct candidate *c);
enum verdict check_es_nie(const struct candidate *c);
enum verdict check_pl_pesel(const struct candidate *c);
enum verdict check_se_personnummer(const struct candidate *c);

/* check_america.c, check_asia.c */
enum verdict check_us_ssn(const struct candidate *c);
enum verdict check_us_itin(const struct candidate *c);
enum verdict check_ca_sin(const struct candidate *c);
enum verdict check_br_cpf(const struct candidate *c);
enum verdict check_br_cnpj(const struct candidate *c);
enum verdict check_au_tfn(const struct candidate *c);
enum verdict check_in_aadhaar(const struct candidate *c);
enum verdict check_in_pan(const struct candidate *c);
enum verdict check_jp_my_number(const struct candidate *c);
enum verdict check_kr_rrn(const struct candidate *c);

/* check_mrz.c */
enum verdict check_passport_mrz(const struct candidate *c);
void check_passport_mrz_value(const struct candidate *c, const char **start, size_t *size);

#endif
