// Writes names of functions and files as one cell of a profile's text, exactly as lib/formats/gotext does: a
// name cannot break its line, and file: URLs are written as paths.
//
// Thread safety: none is needed, since no function has state. Nothing allocates memory: this also runs when
// there is none.

#ifndef MEMPROF_NATIVE_ENCODE_FRAME_TEXT_H_
#define MEMPROF_NATIVE_ENCODE_FRAME_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/text_sink.h"

namespace memprof {

// Escapes control characters, line and paragraph separators and bidirectional overrides (`\n`, `\x00`,
// `\u2028`), and writes U+FFFD for bytes that are not UTF-8. Returns the width in code points.
size_t WriteEscaped(std::string_view text, TextSink* sink);

// How a function is named, as in lib/profile/function-label.ts: a function without a name has its place instead,
// `(anonymous server.js:35)`.
struct FunctionLabel {
  std::string_view before;
  std::string_view text;  // of the profiled program: it must be escaped
  int32_t line;           // 0 for none
  std::string_view after;
};

// `path` is that of the file, and `line` and `column` are those of the function's start, 1-based; column 0 where
// the line is that of a call.
FunctionLabel LabelOf(std::string_view name, std::string_view path, int32_t line, int32_t column);

// Returns the width.
size_t WriteFunctionName(std::string_view name, std::string_view url, int32_t line, int32_t column,
                         TextSink* sink);
// Writes `?` for the empty URL. A malformed URL, or one that is not a file: URL of this machine, stays as it
// is.
void WriteFileName(std::string_view url, TextSink* sink);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_ENCODE_FRAME_TEXT_H_
