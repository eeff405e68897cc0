#include "text.h"

#include <stdlib.h>
#include <string.h>

static int reserve(struct text *text, size_t length) {
    size_t capacity = text->capacity == 0 ? 16 : text->capacity;
    char *bytes;
    while (capacity - 1 < length) {
        if (capacity > (size_t)-1 / 2) {
            return 0;
        }
        capacity *= 2;
    }
    if (capacity == text->capacity) {
        return 1;
    }
    bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        return 0;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return 1;
}

int text_append(struct text *text, const char *bytes, size_t length) {
    if (length > (size_t)-1 - text->length || !reserve(text, text->length + length)) {
        return 0;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
    return 1;
}

void text_free(struct text *text) {
    free(text->bytes);
    memset(text, 0, sizeof *text);
}
