#include "encode/frame_text.h"

#include <cstdint>

namespace memprof {

namespace {

struct Character {
  uint32_t code;
  size_t bytes;
  bool valid;
};

constexpr uint32_t kReplacement = 0xfffd;

// The first character of `text`. In an invalid sequence, the longest part that could begin a valid one counts
// as one U+FFFD, as in the Encoding Standard.
Character Decode(std::string_view text) {
  auto byte = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
  uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  size_t more;
  uint32_t code;
  if (lead >= 0xc2 && lead < 0xe0) {
    more = 1;
    code = lead & 0x1f;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    more = 2;
    code = lead & 0x0f;
  } else if (lead >= 0xf0 && lead < 0xf5) {
    more = 3;
    code = lead & 0x07;
  } else {
    return {kReplacement, 1, false};
  }
  for (size_t at = 1; at <= more; ++at) {
    if (at == text.size()) return {kReplacement, at, false};
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (at == 1) {
      // Refuse overlong forms, surrogates, and what lies beyond U+10FFFF.
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    }
    if (byte(at) < low || byte(at) > high) return {kReplacement, at, false};
    code = code << 6 | (byte(at) & 0x3f);
  }
  return {code, more + 1, true};
}

bool MustEscape(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

// Returns the width.
size_t WriteEscape(uint32_t code, TextSink* sink) {
  constexpr std::string_view kShort = "tnvfr";  // from '\t' on
  constexpr std::string_view kHex = "0123456789abcdef";
  char text[6] = {'\\'};
  size_t size = 1;
  if (code >= '\t' && code < '\t' + kShort.size()) {
    text[size++] = kShort[code - '\t'];
  } else {
    text[size++] = code < 0x100 ? 'x' : 'u';
    for (int shift = code < 0x100 ? 4 : 12; shift >= 0; shift -= 4) text[size++] = kHex[code >> shift & 15];
  }
  sink->Write(std::string_view(text, size));
  return size;
}

int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    Character next = Decode(text);
    if (!next.valid) return false;
    text.remove_prefix(next.bytes);
  }
  return true;
}

constexpr size_t kLongestPath = 4096;  // the tables cut URLs to this length

// The path of `url`, written into `buffer`; empty where Node's `fileURLToPath` would refuse the URL.
std::string_view PathOf(std::string_view url, char (&buffer)[kLongestPath]) {
  constexpr std::string_view kLocal = "file:///";
  if (!url.starts_with(kLocal) || url.size() > kLongestPath) return {};
  url.remove_prefix(kLocal.size() - 1);
  url = url.substr(0, url.find_first_of("?#"));
  size_t size = 0;
  for (size_t at = 0; at < url.size(); ++at) {
    char character = url[at];
    if (character == '%') {
      if (at + 2 >= url.size()) return {};
      int high = HexDigit(url[at + 1]);
      int low = HexDigit(url[at + 2]);
      if (high < 0 || low < 0) return {};
      character = static_cast<char>(high * 16 + low);
      if (character == '/') return {};
      at += 2;
    }
    buffer[size++] = character;
  }
  std::string_view path(buffer, size);
  return IsUtf8(path) ? path : std::string_view();
}

}  // namespace

size_t WriteEscaped(std::string_view text, TextSink* sink) {
  size_t width = 0;
  std::string_view plain = text;  // begins with what was not written yet
  size_t plain_bytes = 0;
  while (!text.empty()) {
    Character next = Decode(text);
    text.remove_prefix(next.bytes);
    if (next.valid && !MustEscape(next.code)) {
      plain_bytes += next.bytes;
      ++width;
      continue;
    }
    sink->Write(plain.substr(0, plain_bytes));
    plain = text;
    plain_bytes = 0;
    if (next.valid) {
      width += WriteEscape(next.code, sink);
    } else {
      sink->Write("\xef\xbf\xbd");
      ++width;
    }
  }
  sink->Write(plain.substr(0, plain_bytes));
  return width;
}

FunctionLabel LabelOf(std::string_view name, std::string_view path, int32_t line, int32_t column) {
  if (!name.empty()) {
    bool builtin = path.empty() && line <= 0 && name.front() != '(';
    return builtin ? FunctionLabel{"(builtin ", name, 0, ")"} : FunctionLabel{"", name, 0, ""};
  }
  bool whole = line == 1 && column == 1;
  if (path.empty()) {
    if (line <= 0) return {"(anonymous)", "", 0, ""};
    return whole ? FunctionLabel{"(eval)", "", 0, ""} : FunctionLabel{"(anonymous eval", "", line, ")"};
  }
  std::string_view file = path;
  if (path.starts_with("data:")) {
    file = "data:";
  } else if (!path.starts_with("node:")) {
    file.remove_prefix(path.find_last_of("/\\") + 1);  // `npos` + 1 is 0
  }
  // Go's tools take names with these for C++, and remove what is in parentheses.
  constexpr std::string_view kNameless = ".<anonymous>";
  if (file.size() > 2 && file.starts_with('[') && file.ends_with(']')) file = file.substr(1, file.size() - 2);
  if (file.ends_with(kNameless)) file.remove_suffix(kNameless.size());
  if (whole) return {"(module ", file, 0, ")"};
  return {"(anonymous ", file, line > 0 ? line : 0, ")"};
}

size_t WriteFunctionName(std::string_view name, std::string_view url, int32_t line, int32_t column,
                         TextSink* sink) {
  char buffer[kLongestPath];
  std::string_view path = PathOf(url, buffer);
  FunctionLabel label = LabelOf(name, path.empty() ? url : path, line, column);
  sink->Write(label.before);
  size_t width = label.before.size() + WriteEscaped(label.text, sink) + label.after.size();
  if (label.line > 0) {
    CountingSink digits;
    digits.WriteNumber(static_cast<uint64_t>(label.line));
    width += 1 + digits.bytes();
    sink->Write(":");
    sink->WriteNumber(static_cast<uint64_t>(label.line));
  }
  sink->Write(label.after);
  return width;
}

void WriteFileName(std::string_view url, TextSink* sink) {
  char buffer[kLongestPath];
  std::string_view path = PathOf(url, buffer);
  if (!path.empty()) url = path;
  WriteEscaped(url.empty() ? "?" : url, sink);
}

}  // namespace memprof
