/*
 * How fast the detector searches text in memory: all recognisers, one thread, texts of
 * several kinds made from a seed.  It informs: it never fails.
 *
 *   make bench-detect-speed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/base/err.h"
#include "policy/detect/detect.h"

#define SIZE (16u << 20)
#define PIECE (1u << 20)
#define ROUNDS 9

static uint64_t state = 88172645463325252u;

static unsigned below(unsigned n)
{
	state ^= state >> 12;	/* xorshift64*, Vigna 2014 */
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * 2685821657736338717u >> 33) % n);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static const char *const english[] = { "the", "of", "and", "to", "in", "a", "is", "that", "for",
	"it", "as", "was", "with", "be", "by", "on", "not", "he", "his", "but", "at", "are",
	"this", "have", "from", "had", "an", "they", "which", "one", "you", "were", "all", "she",
	"there", "would", "their", "we", "him", "been", "has", "when", "who", "will", "no", "more",
	"if", "out", "so", "said", "what", "up", "its", "about", "into", "than", "them", "can",
	"only", "other", "time", "new", "some", "could", "these", "two", "may", "first", "then",
	"any", "like", "my", "now", "over", "such", "our", "man", "even", "most", "made", "after",
	"also", "did", "many", "off", "before", "must", "well", "back", "through", "years", "much",
	"where", "your", "way", "down", "should", "because", "long", "each", "people", "those",
	"department", "schedule", "management", "agreement", "delivery", "quality", "committee" };
static const char *const chinese[] = { "我们", "公司", "项目", "系统", "管理", "数据", "报告",
	"工作", "问题", "进行", "通过", "部门", "会议", "文件", "内容", "要求", "时间", "情况",
	"发展", "技术", "服务", "经济", "社会", "研究", "完成", "提高", "质量", "安全", "负责",
	"人员", "计划", "合同", "的", "是", "在", "了", "和", "有", "不", "这", "为", "与", "，", "。" };
#define PICK(list) (list)[below(sizeof(list) / sizeof(list)[0])]

static size_t prose(char *out)
{
	size_t used = 0;

	while (used < SIZE) {
		used += (size_t)sprintf(out + used, "%s%s", PICK(english),
					below(14) ? " " : below(6) ? ". The " : ".\n\n");
		if (below(400) == 0)
			used += (size_t)sprintf(out + used, "%u ", below(3000));
	}
	return used;
}

static size_t prose_zh(char *out)
{
	size_t used = 0;

	while (used < SIZE) {
		used += (size_t)sprintf(out + used, "%s", PICK(chinese));
		if (below(60) == 0)
			used += (size_t)sprintf(out + used, "\n");
	}
	return used;
}

static size_t source(char *out)
{
	size_t used = 0;

	while (used < SIZE)
		used += (size_t)sprintf(out + used, "\tif (%s_%s(%s->%s, %u) < 0 || %s == NULL)\n\t\t"
					"return %s_set(e, \"%s %s %%s\", %s);\n", PICK(english),
					PICK(english), PICK(english), PICK(english), below(20),
					PICK(english), PICK(english), PICK(english), PICK(english),
					PICK(english));
	return used;
}

static size_t log_lines(char *out)
{
	static const char *const levels[] = { "INFO", "INFO", "DEBUG", "WARN", "ERROR" };
	size_t used = 0;

	while (used < SIZE)
		used += (size_t)sprintf(out + used, "2024-%02u-%02u %02u:%02u:%02u,%03u %-5s [worker-%u] "
					"com.example.%s.Service - %s %s the %s %s took %u ms\n",
					1 + below(12), 1 + below(28), below(24), below(60), below(60),
					below(1000), PICK(levels), below(32), PICK(english),
					PICK(english), PICK(english), PICK(english), PICK(english),
					below(5000));
	return used;
}

static size_t access_log(char *out)
{
	size_t used = 0;

	while (used < SIZE)
		used += (size_t)sprintf(out + used, "10.%u.%u.%u - - [%02u/May/2024:%02u:%02u:%02u +0000] "
					"\"GET /%s/%s?id=%u HTTP/1.1\" 200 %u \"-\" \"curl/7.88.1\"\n",
					below(256), below(256), 1 + below(254), 1 + below(28), below(24),
					below(60), below(60), PICK(english), PICK(english),
					below(100000000), below(100000));
	return used;
}

static size_t numbers(char *out)
{
	size_t used = 0;

	while (used < SIZE) {
		for (unsigned i = 0; i < 9; i++)
			used += (size_t)sprintf(out + used, "%u,", below(1u << (4 + below(27))));
		used += (size_t)sprintf(out + used, "%u.%04u\n", below(1000), below(10000));
	}
	return used;
}

static const struct {
	const char *name;
	size_t (*make)(char *out);
} texts[] = {
	{ "English prose", prose }, { "Chinese prose", prose_zh }, { "program source", source },
	{ "application log", log_lines }, { "access log, an address a line", access_log },
	{ "table of numbers", numbers },
};

/* ---- time ------------------------------------------------------------------------------------ */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int search(struct detector *d, const char *text, size_t size, struct err *e)
{
	detector_reset(d);
	detector_begin(d, NULL);
	for (size_t at = 0; at < size; at += PIECE)
		if (detector_feed(d, text + at, size - at < PIECE ? size - at : PIECE, e) < 0)
			return -1;
	return detector_end(d, e);
}

int main(void)
{
	struct recognisers *set = NULL;
	struct detector *d = NULL;
	struct err e = ERR_NONE;
	char *text = malloc(SIZE + 4096);
	double began = now();

	if (!text || recognisers_new(NULL, 0, &set, &e) < 0 || detector_new(set, &d, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	printf("%zu recognisers compiled in %.0f ms\n", recognisers_count(set),
	       1e3 * (now() - began));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t size = texts[i].make(text), count;
		const struct finding *found;
		double best = 1e9;
		uint64_t total = 0;

		for (unsigned round = 0; round < ROUNDS; round++) {
			double start = now();

			if (search(d, text, size, &e) < 0) {
				fprintf(stderr, "%s\n", e.text);
				return 1;
			}
			best = now() - start < best ? now() - start : best;
		}
		found = detector_findings(d, &count);
		for (size_t k = 0; k < count; k++)
			total += found[k].count;
		printf("%-32s %6.0f MB/s   %llu findings\n", texts[i].name,
		       (double)size / best / 1e6, (unsigned long long)total);
	}
	detector_free(d);
	recognisers_free(set);
	free(text);
	return 0;
}
