#include "fs/mount/place.h"

#define KIND_SHIFT 60
#define VALUE_MASK ((UINT64_C(1) << KIND_SHIFT) - 1)
#define ID_BITS 38
#define ID_MAX ((INT64_C(1) << ID_BITS) - 1)
#define VERSION_MAX ((INT64_C(1) << (KIND_SHIFT - ID_BITS)) - 1)

bool place_pack(const struct place *p, uint64_t *ino)
{
	uint64_t id = (uint64_t)p->id, version = (uint64_t)p->version, value;

	if (p->id < 0 || p->version < 0 || p->version > VERSION_MAX)
		return false;
	switch (p->kind) {
	case PLACE_DIRECTORY:
	case PLACE_NODE:
		if (p->id > ID_MAX)
			return false;
		value = version << ID_BITS | id;
		break;
	case PLACE_LINK:
		value = version << 1 | (uint64_t)p->is_dated;
		break;
	default:
		if (id > VALUE_MASK)
			return false;
		value = id;
	}
	*ino = (uint64_t)p->kind << KIND_SHIFT | value;
	return true;
}

bool place_unpack(uint64_t ino, struct place *out)
{
	uint64_t value = ino & VALUE_MASK;

	*out = (struct place){ .kind = (enum place_kind)(ino >> KIND_SHIFT) };
	switch (out->kind) {
	case PLACE_DIRECTORY:
	case PLACE_NODE:
		out->id = (int64_t)(value & (uint64_t)ID_MAX);
		out->version = (int64_t)(value >> ID_BITS);
		return out->id > 0;
	case PLACE_LINK:
		out->version = (int64_t)(value >> 1);
		out->is_dated = value & 1;
		return out->version > 0 && out->version <= VERSION_MAX;
	case PLACE_FIXED:
		out->id = (int64_t)value;
		return value >= PLACE_ROOT && value <= PLACE_CERTIFICATES;
	case PLACE_SYSTEM:
	case PLACE_VERSIONS:
	case PLACE_CERTIFICATE:
		out->id = (int64_t)value;
		return value > 0;
	}
	return false;
}
