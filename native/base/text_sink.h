// Takes text piece by piece, without allocating memory.
//
// Thread safety: none.

#ifndef MEMPROF_NATIVE_BASE_TEXT_SINK_H_
#define MEMPROF_NATIVE_BASE_TEXT_SINK_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace memprof {

class TextSink {
 public:
  virtual void Write(std::string_view text) = 0;

  void WriteNumber(uint64_t number, unsigned base = 10) {
    char digits[64];  // enough for base 2
    size_t first = sizeof(digits);
    do {
      digits[--first] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    Write(std::string_view(digits + first, sizeof(digits) - first));
  }

 protected:
  ~TextSink() = default;
};

// Counts the bytes that would be written.
class CountingSink final : public TextSink {
 public:
  void Write(std::string_view text) override { bytes_ += text.size(); }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_TEXT_SINK_H_
