#include "percent.h"

#include <string.h>

static const char digits[] = "0123456789ABCDEF";
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

int percent_encode(struct text *text, const char *bytes, size_t length) {
    size_t at;
    for (at = 0; at < length; at++) {
        unsigned char byte = (unsigned char)bytes[at];
        char encoded[3];
        if (byte != '\0' && strchr(plain, byte) != NULL) {
            if (!text_append(text, bytes + at, 1)) {
                return 0;
            }
            continue;
        }
        encoded[0] = '%';
        encoded[1] = digits[byte >> 4];
        encoded[2] = digits[byte & 15];
        if (!text_append(text, encoded, sizeof encoded)) {
            return 0;
        }
    }
    return 1;
}

static int value_of(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return -1;
}

int percent_decode(struct text *text, const char *source) {
    while (*source != '\0') {
        char byte = *source++;
        if (byte == '%') {
            int high = value_of(source[0]);
            int low = high < 0 ? -1 : value_of(source[1]);
            if (low < 0) {
                return 0;
            }
            byte = (char)(high * 16 + low);
            source += 2;
        }
        if (!text_append(text, &byte, 1)) {
            return 0;
        }
    }
    return 1;
}
