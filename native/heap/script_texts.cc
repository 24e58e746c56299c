#include "heap/script_texts.h"

#include <node_version.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/clocks.h"
#include "heap/raw_handles.h"

namespace memprof {

namespace {

// V8's own sampler cuts URLs at this length.
constexpr size_t kLongestUrl = 1024;

void Copy(v8::Isolate* isolate, v8::Local<v8::String> text, uint32_t begin, uint32_t length, uint8_t* to) {
#if NODE_MAJOR_VERSION >= 24
  text->WriteOneByteV2(isolate, begin, length, to);
#else
  text->WriteOneByte(isolate, to, static_cast<int>(begin), static_cast<int>(length),
                     v8::String::NO_NULL_TERMINATION);
#endif
}

void Copy(v8::Isolate* isolate, v8::Local<v8::String> text, uint32_t begin, uint32_t length, uint16_t* to) {
#if NODE_MAJOR_VERSION >= 24
  text->WriteV2(isolate, begin, length, to);
#else
  text->Write(isolate, to, static_cast<int>(begin), static_cast<int>(length),
              v8::String::NO_NULL_TERMINATION);
#endif
}

// Copies the portion that begins at `begin`, and returns its length.
template <typename Char>
uint32_t CopyPortion(v8::Isolate* isolate, v8::Local<v8::String> text, uint32_t begin, Char* to) {
  uint32_t length = std::min(LineCounter::kPortion, static_cast<uint32_t>(text->Length()) - begin);
  Copy(isolate, text, begin, length, to);
  return length;
}

// Returns false when there was no time for all of it.
template <typename Char>
bool FindLine(v8::Isolate* isolate, v8::Local<v8::String> text, LineCounter* lines, uint32_t position,
              uint64_t until_ns, LineCounter::Place* place) {
  Char portion[LineCounter::kPortion];
  while (lines->known() <= position) {
    if (MonotonicNs() > until_ns) return false;
    uint32_t length = CopyPortion(isolate, text, lines->known(), portion);
    lines->ReadNext(portion, length);
  }
  CopyPortion(isolate, text, position / LineCounter::kPortion * LineCounter::kPortion, portion);
  *place = lines->PlaceOf(position, portion);
  return true;
}

}  // namespace

ScriptTexts::Script* ScriptTexts::Find(const V8Layout& layout, v8::Local<v8::Function> function,
                                       const v8::Global<v8::Value>& shared) {
  auto [known, is_new] = scripts_.try_emplace(function->ScriptId());
  Script* script = &known->second;
  if (!is_new) return script;
  v8::ScriptOrigin origin = function->GetScriptOrigin();
  script->line_offset = origin.LineOffset();
  script->column_offset = origin.ColumnOffset();
  // The script's own name, which no public function tells. Where it cannot be read, the public name, which a
  // comment in the script may have changed.
  uintptr_t name = ScriptWordOf(layout, WordIn(shared), kScriptNameWord);
  v8::Local<v8::Value> url =
      name == 0 ? origin.ResourceName() : v8::Local<v8::Value>::New(isolate_, LocalAt<v8::Value>(&name));
  if (!url.IsEmpty() && url->IsString()) {
    v8::String::Utf8Value utf8(isolate_, url);
    if (*utf8 != nullptr) script->url.assign(*utf8, std::min<size_t>(utf8.length(), kLongestUrl));
  }
  uintptr_t text = ScriptWordOf(layout, WordIn(shared), kScriptTextWord);
  if (text != 0 && LocalAt<v8::Value>(&text)->IsString()) {
    script->text.Reset(isolate_, LocalAt<v8::String>(&text));
    script->text.SetWeak();
  }
  bytes_ += script->url.capacity();
  return script;
}

ScriptTexts::Place ScriptTexts::PlaceOf(const V8Layout& layout, v8::Local<v8::Function> function,
                                        const v8::Global<v8::Value>& shared, int position,
                                        uint64_t until_ns) {
  Script* script = Find(layout, function, shared);
  Place place;
  place.url = &script->url;
  v8::Local<v8::String> text = script->text.Get(isolate_);
  if (text.IsEmpty() || position < 0 || position >= text->Length()) {
    place.line = function->GetScriptLineNumber() + 1;
    place.column = function->GetScriptColumnNumber() + 1;
    return place;
  }
  LineCounter::Place found;
  size_t before = script->lines.bytes();
  auto start = static_cast<uint32_t>(position);
  place.ready = text->IsOneByte()
                    ? FindLine<uint8_t>(isolate_, text, &script->lines, start, until_ns, &found)
                    : FindLine<uint16_t>(isolate_, text, &script->lines, start, until_ns, &found);
  bytes_ += script->lines.bytes() - before;
  place.line = static_cast<int>(found.line) + script->line_offset + 1;
  place.column = static_cast<int>(found.column) + (found.line == 0 ? script->column_offset : 0) + 1;
  return place;
}

bool ScriptTexts::MayBeLoop(int script_id, int at) const {
  auto known = scripts_.find(script_id);
  if (known == scripts_.end()) return true;
  v8::HandleScope scope(isolate_);
  v8::Local<v8::String> text = known->second.text.Get(isolate_);
  if (text.IsEmpty() || at < 0 || at >= text->Length()) return true;
  std::array<uint16_t, 5> chars{};
  auto begin = static_cast<uint32_t>(at);
  auto length = std::min(static_cast<uint32_t>(chars.size()), static_cast<uint32_t>(text->Length()) - begin);
  Copy(isolate_, text, begin, length, chars.data());
  std::string word(chars.begin(), chars.end());
  return word.starts_with("for") || word.starts_with("while") || word.starts_with("do");
}

}  // namespace memprof
