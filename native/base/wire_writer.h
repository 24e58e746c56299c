// Writes protobuf fields into a buffer that grows, as lib/formats/pprof/wire-writer.ts does: integer fields
// with their default value are left out.
//
// Thread safety: none.

#ifndef MEMPROF_NATIVE_BASE_WIRE_WRITER_H_
#define MEMPROF_NATIVE_BASE_WIRE_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace memprof {

class WireWriter {
 public:
  void Integer(uint64_t value) {
    while (value > 127) {
      bytes_.push_back(static_cast<char>((value & 127) | 128));
      value >>= 7;
    }
    bytes_.push_back(static_cast<char>(value));
  }
  // REQUIRES: a field number below 16, here and below.
  void IntegerField(uint32_t field, uint64_t value) {
    if (value == 0) return;
    Tag(field, kVarint);
    Integer(value);
  }
  void BytesField(uint32_t field, std::string_view bytes) {
    Tag(field, kLengthDelimited);
    Integer(bytes.size());
    bytes_.append(bytes);
  }

  void Reset() { bytes_.clear(); }
  std::string_view written() const { return bytes_; }
  std::string Take() { return std::exchange(bytes_, std::string()); }

 private:
  enum WireType : uint32_t { kVarint = 0, kLengthDelimited = 2 };

  void Tag(uint32_t field, WireType type) { bytes_.push_back(static_cast<char>(field << 3 | type)); }

  std::string bytes_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_WIRE_WRITER_H_
