#include "fs/base/list.h"

#include <stdlib.h>

#define ROOM_FIRST 8

bool list_room(void *list, size_t count, size_t *room, size_t size)
{
	void **at = list;
	size_t more = *room ? *room * 2 : ROOM_FIRST;

	if (count < *room)
		return true;
	void *grown = reallocarray(*at, more, size);
	if (!grown)
		return false;
	*at = grown;
	*room = more;
	return true;
}
