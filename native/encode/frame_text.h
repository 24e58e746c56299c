// Names of functions and files as one cell of a profile's text, exactly as lib/formats/text.ts writes them: a
// name cannot break its line, and file: URLs are given as paths.
//
// Thread safety: none needed; no function has state. Nothing takes memory: this also runs when there is none.

#ifndef MEMPROF_NATIVE_FRAME_TEXT_H_
#define MEMPROF_NATIVE_FRAME_TEXT_H_

#include <cstddef>
#include <string_view>

#include "base/text_sink.h"

namespace memprof {

// Control characters, line and paragraph separators and bidirectional overrides become escapes (`\n`, `\x00`,
// `\u2028`), bytes that are not UTF-8 U+FFFD. Returns the width in code points.
size_t WriteEscaped(std::string_view text, TextSink* sink);

// `(anonymous)` for the empty name. Returns the width.
size_t WriteFunctionName(std::string_view name, TextSink* sink);
// `?` for the empty URL. What is no file: URL of this machine, or a malformed one, stays as it is.
void WriteFileName(std::string_view url, TextSink* sink);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_FRAME_TEXT_H_
