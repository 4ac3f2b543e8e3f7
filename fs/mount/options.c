#include "fs/mount/options.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/team.h"
#include "fs/base/text.h"

#define CACHE_DEFAULT (64u << 20)
#define READAHEAD_DEFAULT (4u << 20)
#define KERNEL_READAHEAD_DEFAULT (512u << 10)	/* docs/decisions/0175-what-the-kernel-asks-ahead.md */
#define KERNEL_READAHEAD_MAX (16u << 20)
#define THREADS_MAX 64

/* ---- values ---------------------------------------------------------------- */

static int keep(char **to, const char *value, struct err *e)
{
	free(*to);
	*to = strdup(value);
	return *to ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for the options");
}

static int number(const char *name, const char *value, int base, unsigned long max,
		  unsigned long *out, struct err *e)
{
	char *end;

	errno = 0;
	*out = strtoul(value, &end, base);
	if (errno || end == value || *end || *value == '-' || *value == '+' || *out > max)
		return err_set(e, MUNI_USAGE, "%s=%s is not a number up to %lu", name,
			       text_printable(value), max);
	return 0;
}

static int size(const char *name, const char *value, size_t *out, struct err *e)
{
	uint64_t bytes;

	if (text_parse_size(value, &bytes) < 0 || bytes > SIZE_MAX / 4)
		return err_set(e, MUNI_USAGE, "%s=%s is not a size like 64M", name,
			       text_printable(value));
	*out = (size_t)bytes;
	return 0;
}

static int set_uid(struct mount_options *o, const char *value, struct err *e)
{
	struct passwd *user = getpwnam(value);
	unsigned long n;

	if (!user && number("uid", value, 10, UINT32_MAX - 1, &n, e) < 0)
		return -1;
	o->uid = user ? user->pw_uid : (uid_t)n;
	o->has_uid = true;
	return 0;
}

static int set_gid(struct mount_options *o, const char *value, struct err *e)
{
	struct group *group = getgrnam(value);
	unsigned long n;

	if (!group && number("gid", value, 10, UINT32_MAX - 1, &n, e) < 0)
		return -1;
	o->gid = group ? group->gr_gid : (gid_t)n;
	o->has_gid = true;
	return 0;
}

bool options_group(const char *name, gid_t *out)
{
	struct group *group = getgrnam(name);

	if (group)
		*out = group->gr_gid;
	return group != NULL;
}

static int set_umask(struct mount_options *o, const char *value, struct err *e)
{
	unsigned long n;

	if (number("umask", value, 8, 07777, &n, e) < 0)
		return -1;
	o->umask = (mode_t)n;
	o->has_umask = true;
	return 0;
}

static int set_threads(struct mount_options *o, const char *value, struct err *e)
{
	unsigned long n;

	if (number("threads", value, 10, THREADS_MAX, &n, e) < 0)
		return -1;
	if (n == 0)
		return err_set(e, MUNI_USAGE, "threads=0: at least one has to do the work");
	o->threads = (unsigned)n;
	return 0;
}

static int set_cache(struct mount_options *o, const char *value, struct err *e)
{
	return size("cache", value, &o->cache, e);
}

static int set_readahead(struct mount_options *o, const char *value, struct err *e)
{
	return size("readahead", value, &o->readahead, e);
}

static int set_kernel_readahead(struct mount_options *o, const char *value, struct err *e)
{
	if (size("kernel-readahead", value, &o->kernel_readahead, e) < 0)
		return -1;
	if (o->kernel_readahead > KERNEL_READAHEAD_MAX)
		return err_set(e, MUNI_USAGE, "kernel-readahead=%s: at most 16M", value);
	return 0;
}

#define TEXT_SETTER(field) \
	static int set_##field(struct mount_options *o, const char *value, struct err *e) \
	{ return keep(&o->field, value, e); }
TEXT_SETTER(system)
TEXT_SETTER(version)
TEXT_SETTER(classes)
TEXT_SETTER(audience)
TEXT_SETTER(keyring)
TEXT_SETTER(key_file)
TEXT_SETTER(passphrase_file)
TEXT_SETTER(fsname)

static const struct {
	const char *name;
	int (*set)(struct mount_options *o, const char *value, struct err *e);
} valued[] = {
	{ "system", set_system },
	{ "version", set_version },
	{ "uid", set_uid },
	{ "gid", set_gid },
	{ "umask", set_umask },
	{ "cache", set_cache },
	{ "threads", set_threads },
	{ "readahead", set_readahead },
	{ "kernel-readahead", set_kernel_readahead },
	{ "classes", set_classes },
	{ "audience", set_audience },
	{ "keyring", set_keyring },
	{ "key-file", set_key_file },
	{ "passphrase-file", set_passphrase_file },
	{ "fsname", set_fsname },
};

static const struct {
	const char *name;
	size_t at;
	bool value;
} flags[] = {
	{ "allow_other", offsetof(struct mount_options, allow_other), true },
	{ "audit", offsetof(struct mount_options, audit), true },
	{ "dev", offsetof(struct mount_options, dev), true },
	{ "allow_dev", offsetof(struct mount_options, dev), true },
	{ "nodev", offsetof(struct mount_options, dev), false },
	{ "suid", offsetof(struct mount_options, suid), true },
	{ "allow_suid", offsetof(struct mount_options, suid), true },
	{ "nosuid", offsetof(struct mount_options, suid), false },
	{ "nonempty", offsetof(struct mount_options, nonempty), true },
	{ "debug", offsetof(struct mount_options, debug), true },
};

/* What the kernel or libfuse understands as it is. */
static const char *const handed_on[] = {
	"exec", "noexec", "atime", "noatime", "diratime", "nodiratime", "relatime",
	"norelatime", "strictatime", "auto_unmount",
};

/* What mount(8), fstab and systemd say to each other; and what is so anyway. */
static const char *const swallowed[] = {
	"", "ro", "rw", "async", "sync", "dirsync", "defaults", "auto", "noauto", "user", "nouser",
	"users", "owner", "group", "nofail", "_netdev", "loud", "silent",
	"default_permissions",
};

static bool is_among(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}
#define AMONG(word, list) is_among((word), (list), sizeof(list) / sizeof *(list))

static int hand_on(struct mount_options *o, const char *word, struct err *e)
{
	char *more;

	if (asprintf(&more, "%s,%s", o->pass_on ? o->pass_on : "", word) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the options");
	free(o->pass_on);
	o->pass_on = more;
	return 0;
}

/* ---- words ------------------------------------------------------------------- */

static int take_word(struct mount_options *o, const char *word, struct err *e)
{
	const char *equals = strchr(word, '=');
	size_t size_of_name = equals ? (size_t)(equals - word) : strlen(word);

	for (size_t i = 0; i < sizeof valued / sizeof *valued; i++) {
		if (strlen(valued[i].name) != size_of_name ||
		    strncmp(word, valued[i].name, size_of_name) != 0)
			continue;
		if (!equals || !equals[1])
			return err_set(e, MUNI_USAGE, "the option %s needs a value: %s=...",
				       valued[i].name, valued[i].name);
		return valued[i].set(o, equals + 1, e);
	}
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (strcmp(word, flags[i].name) == 0) {
			*((bool *)o + flags[i].at) = flags[i].value;
			return 0;
		}
	}
	if (AMONG(word, handed_on) || strncmp(word, "context=", 8) == 0)
		return hand_on(o, word, e);
	if (AMONG(word, swallowed) || strncmp(word, "x-", 2) == 0 ||
	    strncmp(word, "comment=", 8) == 0 || strncmp(word, "subtype=", 8) == 0)
		return 0;
	return err_set(e, MUNI_USAGE, "there is no option '%s'; munifs(8) has the list",
		       text_printable(word));
}

/* First bytes of a file of the process that called us; NUL ended. */
static size_t read_of_parent(const char *file, char *out, size_t size)
{
	char path[64];
	size_t n;
	FILE *f;

	out[0] = '\0';
	snprintf(path, sizeof path, "/proc/%ld/%s", (long)getppid(), file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(out, 1, size - 1, f);
	fclose(f);
	out[n] = '\0';
	return n;
}

/*
 * mount(8) keeps the words dev and suid to itself, and mount.fuse3 then puts
 * "dev,suid" behind what is left, asked or not (its util/mount.fuse.c): they are not
 * the user's.  It calls us through /bin/sh -c with every word in quotes.
 */
static bool is_called_by_mount(void)
{
	static const char through_shell[] = "/bin/sh\0-c\0'";
	char text[sizeof through_shell + 1];

	if (read_of_parent("cmdline", text, sizeof text) >= sizeof through_shell - 1 &&
	    memcmp(text, through_shell, sizeof through_shell - 1) == 0)
		return true;
	read_of_parent("comm", text, sizeof text);
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, "mount") == 0 || strcmp(text, "mount.fuse3") == 0 ||
	       strcmp(text, "mount.fuse") == 0;
}

static void cut_helpers_words(char *list)
{
	static const char tail[] = "dev,suid";
	size_t size_of_list = strlen(list), n = sizeof tail - 1;

	if (size_of_list < n || strcmp(list + size_of_list - n, tail) != 0 ||
	    (size_of_list > n && list[size_of_list - n - 1] != ','))
		return;
	if (is_called_by_mount())
		list[size_of_list - n] = '\0';
}

/* One -o: words between commas; "\," is a comma inside a word. */
static int take_list(struct mount_options *o, const char *given, struct err *e)
{
	char *list = strdup(given), *word;
	int rc = -1;

	if (!list)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the options");
	cut_helpers_words(list);
	word = list;
	for (char *from = list, *to = list;; from++) {
		if (*from == '\\' && from[1]) {
			*to++ = *++from;
			continue;
		}
		if (*from != ',' && *from) {
			*to++ = *from;
			continue;
		}
		bool is_last = !*from;
		*to++ = '\0';
		if (take_word(o, word, e) < 0)
			goto out;
		if (is_last)
			break;
		word = to;
	}
	rc = 0;
out:
	free(list);
	return rc;
}

static int check(const struct mount_options *o, struct err *e)
{
	if (!o->archive || !o->mountpoint)
		return err_set(e, MUNI_USAGE, "say which archive and where: "
			       "munifs ARCHIVE MOUNTPOINT [-f] [-o OPTION,...]");
	if (o->version && !o->system)
		return err_set(e, MUNI_USAGE, "version= needs system=: versions belong to "
			       "a system");
	if (o->key_file && o->passphrase_file)
		return err_set(e, MUNI_USAGE, "give key-file= or passphrase-file=, not both");
	return 0;
}

int options_parse(int argc, char **argv, struct mount_options *o, struct err *e)
{
	const char *base = strrchr(argv[0], '/');
	bool is_mount_helper = strncmp(base ? base + 1 : argv[0], "mount.", 6) == 0;
	unsigned processors = team_processors();
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct mount_options){ .cache = CACHE_DEFAULT, .readahead = READAHEAD_DEFAULT,
				     .kernel_readahead = KERNEL_READAHEAD_DEFAULT };
	o->threads = processors < 4 ? 4 : processors > 8 ? 8 : processors;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "o:fdhVsnvrwt:N:", long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (take_list(o, optarg, e) < 0)
				return -1;
			break;
		case 'f':
			*(is_mount_helper ? &o->is_fake : &o->foreground) = true;
			break;
		case 'd':
			o->debug = o->foreground = true;
			break;
		case 'h':
			o->wants_help = true;
			return 0;
		case 'V':
			o->wants_version = true;
			return 0;
		case 's': case 'n': case 'v': case 'r': case 'w': case 't': case 'N':
			if (is_mount_helper)	/* mount(8) gives these to every helper */
				break;
			/* fall through */
		default:
			return err_set(e, MUNI_USAGE, "there is no option '%s' here, or it "
				       "lacks its value", text_printable(argv[optind - 1]));
		}
	}
	o->foreground |= o->debug;
	for (; optind < argc; optind++) {
		char **to = !o->archive ? &o->archive : &o->mountpoint;
		if (*to)
			return err_set(e, MUNI_USAGE, "'%s' is one word too many",
				       text_printable(argv[optind]));
		if (keep(to, argv[optind], e) < 0)
			return -1;
	}
	return check(o, e);
}

void options_free(struct mount_options *o)
{
	char **owned[] = { &o->archive, &o->mountpoint, &o->keyring, &o->key_file,
			   &o->passphrase_file, &o->system, &o->version, &o->classes,
			   &o->audience, &o->fsname, &o->pass_on };

	for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
		free(*owned[i]);
		*owned[i] = NULL;
	}
}
