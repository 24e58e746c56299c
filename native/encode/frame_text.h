// Writes names of functions and files as one cell of a profile's text, exactly as lib/formats/gotext does: a
// name cannot break its line, and file: URLs are written as paths.
//
// Thread safety: none is needed, since no function has state. Nothing allocates memory: this also runs when
// there is none.

#ifndef MEMPROF_NATIVE_FRAME_TEXT_H_
#define MEMPROF_NATIVE_FRAME_TEXT_H_

#include <cstddef>
#include <string_view>

#include "base/text_sink.h"

namespace memprof {

// Escapes control characters, line and paragraph separators and bidirectional overrides (`\n`, `\x00`,
// `\u2028`), and writes U+FFFD for bytes that are not UTF-8. Returns the width in code points.
size_t WriteEscaped(std::string_view text, TextSink* sink);

// Writes `(anonymous)` for the empty name. Returns the width.
size_t WriteFunctionName(std::string_view name, TextSink* sink);
// Writes `?` for the empty URL. A malformed URL, or one that is not a file: URL of this machine, stays as it
// is.
void WriteFileName(std::string_view url, TextSink* sink);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_FRAME_TEXT_H_
