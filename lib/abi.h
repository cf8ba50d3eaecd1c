#ifndef SBK__ABI_H
#define SBK__ABI_H

#include <stddef.h>

/*
 * Copies a struct that the host filled, whose first member is its size, into
 * one of dst_size bytes. Members that an older host does not know become 0;
 * members that only a newer one knows must be 0.
 *
 * 0; SBK_ERR_ABI: src is shorter than min_size, the first version of the
 * struct, or has unknown bytes set.
 */
int sbk__abi_copy(void *dst, size_t dst_size, size_t min_size, const void *src);

#endif
