/*
 * What overwriting is worth, file system by file system.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "fs/vault/live.h"

#define IN_PLACE "it writes a file's blocks in place, so overwriting replaces them there. What " \
	"its journal, snapshots below it, and the device hold of them beside is not reached: " \
	"flash remaps blocks and keeps old ones until it erases them"
#define COPY_ON_WRITE "it writes what is changed to another place, so overwriting would leave " \
	"the old blocks as they are: not done"
#define REMOTE "what happens to the old blocks is decided on another machine, so overwriting " \
	"would prove nothing: not done"

static const struct {
	uint32_t magic;
	struct live_media media;
} known[] = {
	{ 0xEF53, { "ext4", true, IN_PLACE } },
	{ 0x58465342, { "xfs", true, IN_PLACE } },
	{ 0x3153464a, { "jfs", true, IN_PLACE } },
	{ 0x4d44, { "vfat", true, IN_PLACE } },
	{ 0x2011BAB0, { "exfat", true, IN_PLACE } },
	{ 0x7366746e, { "ntfs", true, IN_PLACE } },
	{ 0x01021994, { "tmpfs", true, "it lies in memory, so overwriting replaces it there. What "
			"was swapped out is not reached" } },
	{ 0x9123683E, { "btrfs", false, COPY_ON_WRITE } },
	{ 0x2fc12fc1, { "zfs", false, COPY_ON_WRITE } },
	{ 0xca451a4e, { "bcachefs", false, COPY_ON_WRITE } },
	{ 0x3434, { "nilfs2", false, COPY_ON_WRITE } },
	{ 0xF2F52010, { "f2fs", false, COPY_ON_WRITE } },
	{ 0x794c7630, { "overlayfs", false, "what lies in a lower layer is never written, so "
			"overwriting would go to a copy: not done" } },
	{ 0x6969, { "nfs", false, REMOTE } },
	{ 0xFF534D42, { "cifs", false, REMOTE } },
	{ 0xFE534D42, { "smb", false, REMOTE } },
	{ 0x00c36400, { "ceph", false, REMOTE } },
	{ 0x01021997, { "9p", false, REMOTE } },
	{ 0x65735546, { "fuse", false, "a program stands behind it that may put what is changed "
			"anywhere, so overwriting would prove nothing: not done" } },
};

void live_media_of(int fd, struct live_media *out)
{
	struct statfs sf;

	*out = (struct live_media){ "an unknown file system", false,
				    "it cannot be told that overwriting would reach the old "
				    "blocks: not done" };
	if (fstatfs(fd, &sf) < 0)
		return;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if ((uint32_t)sf.f_type == known[i].magic)
			*out = known[i].media;
}

#define EXTENTS 64

bool live_is_shared(int fd)
{
	struct fiemap *map = calloc(1, sizeof *map + EXTENTS * sizeof *map->fm_extents);
	uint64_t at = 0;
	bool is_shared = false, is_over = map == NULL;

	while (!is_over && !is_shared) {
		map->fm_start = at;
		map->fm_length = FIEMAP_MAX_OFFSET - at;
		map->fm_flags = FIEMAP_FLAG_SYNC;
		map->fm_extent_count = EXTENTS;
		map->fm_mapped_extents = 0;
		if (ioctl(fd, FS_IOC_FIEMAP, map) < 0 || map->fm_mapped_extents == 0)
			break;
		for (uint32_t i = 0; i < map->fm_mapped_extents && i < EXTENTS; i++) {
			const struct fiemap_extent *x = &map->fm_extents[i];

			is_shared |= (x->fe_flags & FIEMAP_EXTENT_SHARED) != 0;
			is_over |= (x->fe_flags & FIEMAP_EXTENT_LAST) != 0;
			is_over |= x->fe_logical + x->fe_length <= at;
			at = x->fe_logical + x->fe_length;
		}
	}
	free(map);
	return is_shared;
}
