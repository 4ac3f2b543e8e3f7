/*
 * The words of certificates in Chinese, by the English ones.
 */
#ifndef TOOLS_PAPER_WORDS_H
#define TOOLS_PAPER_WORDS_H

/* The Chinese for it; the English itself where there is none. */
const char *paper_word_zh(const char *english);

#endif
