/*
 * Text known by its first lines: mail, cards and calendars, keys, dumps of
 * databases, settings.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "fs/content/format_inside.h"

#define PROBE_MAX (16u << 10)

struct line {
	const char *at;
	size_t size;		/* without its end */
	const char *next;
	bool is_whole;
};

static bool next_line(const struct format_head *h, const char *from, struct line *line)
{
	const char *end = h->text + (h->text_size < PROBE_MAX ? h->text_size : PROBE_MAX);
	const char *stop;

	if (from >= end)
		return false;
	stop = memchr(from, '\n', (size_t)(end - from));
	line->at = from;
	line->is_whole = stop != NULL;
	line->next = stop == NULL ? end : stop + 1;
	line->size = (size_t)((stop == NULL ? end : stop) - from);
	if (line->size > 0 && from[line->size - 1] == '\r')
		line->size--;
	return true;
}

static bool starts(const struct line *line, const char *with)
{
	size_t size = strlen(with);

	return line->size >= size && strncasecmp(line->at, with, size) == 0;
}

static bool is_blank(const struct line *line)
{
	for (size_t i = 0; i < line->size; i++)
		if (!isspace((unsigned char)line->at[i]))
			return false;
	return true;
}

/* ---- mail -------------------------------------------------------------------------- */

/* "Name: " of RFC 5322; its length, or 0. */
static size_t field_name(const struct line *line)
{
	size_t i = 0;

	while (i < line->size && line->at[i] > ' ' && line->at[i] < 127 && line->at[i] != ':')
		i++;
	return i > 0 && i < line->size && line->at[i] == ':' ? i : 0;
}

static bool is_mail_field(const struct line *line)
{
	static const char *const names[] = { "From:", "To:", "Cc:", "Bcc:", "Subject:", "Date:",
		"Received:", "Message-ID:", "MIME-Version:", "Return-Path:", "Delivered-To:",
		"Content-Type:", "Reply-To:", "Sender:", "In-Reply-To:", "References:",
		"X-Mailer:", "Content-Transfer-Encoding:", "DKIM-Signature:", "X-Original-To:",
		"Envelope-To:", "Authentication-Results:", "ARC-Seal:", "List-Id:", "Thread-Topic:",
		"Thread-Index:", "X-Mozilla-Status:", "X-Priority:", "X-Originating-IP:" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (starts(line, names[i]))
			return true;
	return false;
}

static bool is_message(const struct format_head *h, const char *from)
{
	unsigned known = 0, sender = 0;
	struct line line;
	bool is_first = true;

	for (; next_line(h, from, &line); from = line.next, is_first = false) {
		if (line.size == 0)
			break;
		if (!is_first && (line.at[0] == ' ' || line.at[0] == '\t'))
			continue;	/* folded */
		if (field_name(&line) == 0) {
			if (!line.is_whole)
				break;
			return false;
		}
		known += is_mail_field(&line);
		sender += starts(&line, "From:") || starts(&line, "Received:") ||
			  starts(&line, "Return-Path:") || starts(&line, "Message-ID:") ||
			  starts(&line, "MIME-Version:") || starts(&line, "Delivered-To:");
	}
	return known >= 2 && sender >= 1;
}

/* "From COMMIT Mon Sep 17 00:00:00 2001": git's patches wear it. */
static bool is_patch_line(const struct line *line)
{
	static const char date[] = " Mon Sep 17 00:00:00 2001";
	size_t digits = 0;

	if (line->size < 5 + sizeof date || memcmp(line->at, "From ", 5) != 0)
		return false;
	while (5 + digits < line->size && isxdigit((unsigned char)line->at[5 + digits]))
		digits++;
	return digits >= 40 && line->size - 5 - digits == sizeof date - 1 &&
	       memcmp(line->at + 5 + digits, date, sizeof date - 1) == 0;
}

/* "From sender Day Mon DD HH:MM:SS YYYY" (RFC 4155). */
static bool is_mbox_line(const struct line *line)
{
	unsigned colons = 0, digits = 0;

	if (line->size < 5 || memcmp(line->at, "From ", 5) != 0)
		return false;
	for (size_t i = 5; i < line->size; i++) {
		colons += line->at[i] == ':';
		digits += isdigit((unsigned char)line->at[i]) != 0;
	}
	return colons >= 1 && digits >= 6;
}

const char *format_of_mail(const struct format_head *h)
{
	struct line line;

	if (!next_line(h, h->text, &line))
		return NULL;
	if (is_patch_line(&line))
		return "text/x-diff";
	if (is_mbox_line(&line))
		return is_message(h, line.next) ? "application/mbox" : NULL;
	if (starts(&line, "BEGIN:VCARD"))
		return "text/vcard";
	if (starts(&line, "BEGIN:VCALENDAR"))
		return "text/calendar";
	return is_message(h, h->text) ? "message/rfc822" : NULL;
}

/* ---- dumps of databases --------------------------------------------------------------- */

/* Is this word, then a blank or the end, next; words parted by any blanks. */
static bool is_statement(const char *p, const char *end, const char *words)
{
	char last = '\0';

	for (; *words != '\0'; last = *words++) {
		if (*words == ' ') {
			if (p == end || !isspace((unsigned char)*p))
				return false;
			while (p < end && isspace((unsigned char)*p))
				p++;
		} else {
			if (p == end || toupper((unsigned char)*p) != *words)
				return false;
			p++;
		}
	}
	return !isalnum((unsigned char)last) || p == end ||
	       !(isalnum((unsigned char)*p) || *p == '_');
}

static const char *skip_comments(const char *p, const char *end)
{
	for (;;) {
		const char *stop;

		while (p < end && (isspace((unsigned char)*p) || *p == ';'))
			p++;
		if (end - p < 2)
			return p;
		if ((p[0] == '-' && p[1] == '-') || (p[0] == '#' && p[1] != '!'))
			stop = memchr(p, '\n', (size_t)(end - p));
		else if (p[0] == '/' && p[1] == '*' && (end - p < 3 || p[2] != '!')) {
			stop = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
			stop = stop == NULL ? NULL : stop + 1;
		} else {
			return p;
		}
		if (stop == NULL)
			return end;
		p = stop + 1;
	}
}

const char *format_of_sql(const struct format_head *h)
{
	static const char *const dumps[] = { "-- MySQL dump", "-- MariaDB dump",
		"-- PostgreSQL database dump", "-- phpMyAdmin SQL Dump", "-- Dumped from database",
		"-- Host: ", "-- SQLite dump", "PRAGMA foreign_keys" };
	static const char *const sure[] = { "CREATE TABLE ", "CREATE TEMPORARY TABLE ",
		"CREATE UNIQUE INDEX ", "CREATE INDEX ", "CREATE DATABASE ", "CREATE SCHEMA ",
		"CREATE VIEW ", "CREATE OR REPLACE ", "CREATE SEQUENCE ", "CREATE FUNCTION ",
		"CREATE PROCEDURE ", "CREATE TRIGGER ", "CREATE TYPE ", "CREATE USER ",
		"CREATE ROLE ", "CREATE EXTENSION ",
		"INSERT INTO ", "INSERT IGNORE INTO ", "REPLACE INTO ", "DROP TABLE ",
		"DROP DATABASE ", "DROP VIEW ", "DROP INDEX ", "ALTER TABLE ", "DELETE FROM ",
		"TRUNCATE TABLE ", "LOCK TABLES ", "START TRANSACTION", "BEGIN TRANSACTION",
		"SET NAMES ", "SET FOREIGN_KEY_CHECKS", "SET STATEMENT_TIMEOUT", "SET SQL_MODE",
		"GRANT ALL ", "GRANT SELECT ", "COMMENT ON ", "USE `", "USE [",
		"INSERT [", "SET ANSI_NULLS", "SET IDENTITY_INSERT", "/*!4" };
	static const char *const perhaps[] = { "SELECT ", "UPDATE ", "BEGIN", "COPY ", "SET ",
		"WITH ", "USE ", "GRANT ", "DECLARE ", "EXEC ", "INSERT ", "DELETE ", "CREATE ",
		"DROP ", "ALTER ", "MERGE ", "CALL " };
	const char *end = h->text + (h->text_size < PROBE_MAX ? h->text_size : PROBE_MAX);
	const char *p = h->text, *first;

	if (memchr(p, ';', (size_t)(end - p)) == NULL && h->text_is_all &&
	    strcmp(h->extension, "sql") != 0)
		return NULL;
	for (size_t i = 0; i < sizeof dumps / sizeof dumps[0]; i++)
		if (memmem(p, (size_t)(end - p < 512 ? end - p : 512), dumps[i],
			   strlen(dumps[i])) != NULL)
			return "application/sql";
	first = skip_comments(p, end);
	for (size_t i = 0; i < sizeof sure / sizeof sure[0]; i++)
		if (is_statement(first, end, sure[i]))
			return "application/sql";
	if (strcmp(h->extension, "sql") == 0)
		for (size_t i = 0; i < sizeof perhaps / sizeof perhaps[0]; i++)
			if (is_statement(first, end, perhaps[i]))
				return "application/sql";
	return NULL;
}

/* ---- settings, keys ---------------------------------------------------------------------- */

struct tally {
	unsigned lines, sections, assigned, typed, pairs, items, other;
	bool has_directive;
};

static size_t key_length(const struct line *line, const char *more)
{
	size_t i = 0;

	while (i < line->size && (isalnum((unsigned char)line->at[i]) ||
				  strchr("_-.", line->at[i]) != NULL ||
				  strchr(more, line->at[i]) != NULL || (line->at[i] & 0x80)))
		i++;
	return i;
}

static void tally_line(struct line line, struct tally *t)
{
	size_t indent = 0, key, i;
	char first;

	while (indent < line.size && line.at[indent] == ' ')
		indent++;
	line.at += indent;
	line.size -= indent;
	if (line.size == 0 || line.at[0] == '#' || line.at[0] == ';')
		return;
	t->lines++;
	if (line.at[0] == '[' && indent == 0 && line.at[line.size - 1] == ']') {
		t->sections++;
		return;
	}
	if (line.at[0] == '-' && line.size > 1 && line.at[1] == ' ') {
		t->items++;
		return;
	}
	key = key_length(&line, "\"'/ ");
	if (key > 0 && key < line.size && line.at[key] == ':' &&
	    (key + 1 == line.size || line.at[key + 1] == ' ')) {
		t->pairs++;
		return;
	}
	for (i = key; i < line.size && line.at[i] == ' '; i++)
		;
	if (key == 0 || i == line.size || line.at[i] != '=') {
		t->other++;
		return;
	}
	t->assigned++;
	for (i++; i < line.size && line.at[i] == ' '; i++)
		;
	first = i < line.size ? line.at[i] : '\0';
	t->typed += first == '"' || first == '\'' || first == '[' || first == '{' ||
		    isdigit((unsigned char)first) || first == 't' || first == 'f';
}

static bool is_pem(const struct format_head *h)
{
	const char *end = h->text + (h->text_size < PROBE_MAX ? h->text_size : PROBE_MAX);
	const char *mark = memmem(h->text, (size_t)(end - h->text), "-----BEGIN ", 11);
	const char *stop;

	if (mark == NULL || (mark != h->text && mark[-1] != '\n') || mark - h->text > 4096)
		return false;
	stop = memchr(mark, '\n', (size_t)(end - mark));
	if (stop == NULL)
		return false;
	if (memmem(mark, (size_t)(stop - mark), "PGP", 3) != NULL ||
	    memmem(mark, (size_t)(stop - mark), "-----\n", 6) == mark)
		return false;
	/* Nothing but attributes and remarks in front. */
	for (const char *p = h->text; p < mark;) {
		const char *next = memchr(p, '\n', (size_t)(mark - p));

		if (next == NULL || (!isspace((unsigned char)*p) && *p != '#' &&
				     strncmp(p, "Bag Attributes", 14) != 0 &&
				     strncmp(p, "Key Attributes", 14) != 0 &&
				     strncmp(p, "subject", 7) != 0 && strncmp(p, "issuer", 6) != 0 &&
				     strncmp(p, "Certificate", 11) != 0))
			return false;
		p = next + 1;
	}
	return true;
}

const char *format_of_settings(const struct format_head *h)
{
	const char *from = h->text, *x = h->extension;
	struct tally t = { .lines = 0 };
	struct line line;

	if (is_pem(h))
		return "application/x-pem-file";
	for (unsigned n = 0; n < 200 && next_line(h, from, &line); n++, from = line.next) {
		if (!line.is_whole && !h->text_is_all)
			break;
		if (n == 0 && (starts(&line, "%YAML") || (starts(&line, "---") && line.size == 3)))
			t.has_directive = true;
		else if (!is_blank(&line) && !(line.size == 3 && starts(&line, "---")))
			tally_line(line, &t);
	}
	if (t.lines == 0)
		return NULL;
	if (strcmp(x, "yaml") == 0 || strcmp(x, "yml") == 0)
		return (t.pairs + t.items) * 2 >= t.lines ? "application/yaml" : NULL;
	if (t.has_directive && t.pairs + t.items > 0 && t.pairs + t.items + t.other == t.lines &&
	    t.other * 5 <= t.lines)
		return "application/yaml";
	if (strcmp(x, "toml") == 0)
		return t.assigned > 0 && t.typed * 10 >= t.assigned * 8 ? "application/toml" : NULL;
	return NULL;
}
