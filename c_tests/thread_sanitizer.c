/* What code made by a newer compiler asks of the thread sanitizer, and older ones do not have: these
 * are their functions by other names. For .ci/sanitize; not itself sanitized. */
#include <string.h>

void *__tsan_memcpy(void *to, const void *from, size_t len)
{
    return memcpy(to, from, len);
}

void *__tsan_memmove(void *to, const void *from, size_t len)
{
    return memmove(to, from, len);
}

void *__tsan_memset(void *to, int value, size_t len)
{
    return memset(to, value, len);
}
