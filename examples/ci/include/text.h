/* Text that grows. */
#ifndef LIBRARY_TEXT_H
#define LIBRARY_TEXT_H

#include <stddef.h>

struct text {
    char *bytes;
    size_t length;
    size_t capacity;
};

/* Appends, and keeps a NUL behind the last byte. Returns 0 where there is no memory left. */
int text_append(struct text *text, const char *bytes, size_t length);
void text_free(struct text *text);

#endif
