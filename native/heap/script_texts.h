// Knows the scripts of the functions that are described: their names, and where their lines begin.
//
// Thread safety: none; belongs to one isolate's thread. All functions may allocate on V8's heap.

#ifndef MEMPROF_NATIVE_HEAP_SCRIPT_TEXTS_H_
#define MEMPROF_NATIVE_HEAP_SCRIPT_TEXTS_H_

#include <v8.h>

#include <cstdint>
#include <string>
#include <unordered_map>

#include "heap/line_counter.h"
#include "heap/v8_layout.h"

namespace memprof {

class ScriptTexts {
 public:
  explicit ScriptTexts(v8::Isolate* isolate) : isolate_(isolate) {}
  ScriptTexts(const ScriptTexts&) = delete;
  ScriptTexts& operator=(const ScriptTexts&) = delete;

  struct Place {
    bool ready = true;  // false: there was no time to read as far as the function
    const std::string* url = nullptr;
    // From 1; 0 if unknown.
    int line = 0;
    int column = 0;
  };
  // Where the function starts. `shared` is the handle of its SharedFunctionInfo, and `position` the number of
  // characters before the function, or -1. Text that was not read yet is read until it is `until_ns`.
  // REQUIRES: the function has a script.
  Place PlaceOf(const V8Layout& layout, v8::Local<v8::Function> function, const v8::Global<v8::Value>& shared,
                int position, uint64_t until_ns);

  // Whether a loop's statement begins at this character of the script, or that cannot be told.
  bool MayBeLoop(int script_id, int at) const;

  void Clear() { scripts_.clear(); }
  size_t bytes() const { return bytes_ + scripts_.size() * (sizeof(Script) + kMapNode); }

 private:
  static constexpr size_t kMapNode = 32;

  struct Script {
    std::string url;
    int line_offset = 0;
    int column_offset = 0;
    v8::Global<v8::String> text;  // weak; empty where it cannot be read
    LineCounter lines;
  };
  Script* Find(const V8Layout& layout, v8::Local<v8::Function> function, const v8::Global<v8::Value>& shared);

  v8::Isolate* const isolate_;
  std::unordered_map<int, Script> scripts_;  // by V8's ids, which are never used again
  size_t bytes_ = 0;                         // that the scripts hold elsewhere
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SCRIPT_TEXTS_H_
