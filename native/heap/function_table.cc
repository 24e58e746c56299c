#include "heap/function_table.h"

#include <node_version.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "base/hash.h"
#include "heap/raw_handles.h"

namespace memprof {

namespace {

constexpr size_t kSmallestIndex = 1024;
// V8's own sampler cuts URLs at this length.
constexpr size_t kLongestUrl = 1024;

std::string_view View(const v8::String::Utf8Value& text) {
  return *text == nullptr ? std::string_view() : std::string_view(*text, text.length());
}

bool IsText(v8::Local<v8::Value> value) { return !value.IsEmpty() && value->IsString(); }

}  // namespace

FunctionTable::Slot* FunctionTable::SlotFor(uintptr_t address) {
  size_t mask = index_.size() - 1;
  for (size_t at = Mix(address) & mask;; at = (at + 1) & mask) {
    if (index_[at].address == address || index_[at].address == 0) return &index_[at];
  }
}

void FunctionTable::Index(uintptr_t address, uint32_t entry) {
  Slot* slot = SlotFor(address);
  if (slot->address == 0) ++indexed_;
  *slot = {address, entry, epoch_, Of(entries_[entry])};
}

// Indexes all functions that still exist by their current addresses, and frees the entries of the others.
void FunctionTable::Reindex(size_t slots) {
  index_.assign(slots, {});
  indexed_ = 0;
  moved_ = false;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.id == 0) continue;
    if (uintptr_t address = WordIn(entry.shared)) {
      Index(address, i);
    } else if (entry.described) {
      entry.id = 0;
      entry.shared.Reset();
      free_.push_back(i);
      --used_;
    }
  }
}

// Returns id 0 when no function is known at this address, or the known one has died or moved.
FunctionTable::Known FunctionTable::Find(uintptr_t address) {
  Slot* slot = SlotFor(address);
  if (slot->address == 0) return {};
  if (slot->epoch == epoch_ && slot->known.described) return slot->known;
  const Entry& entry = entries_[slot->entry];
  if (WordIn(entry.shared) != address) return {};
  slot->epoch = epoch_;
  return slot->known = Of(entry);
}

FunctionTable::Known FunctionTable::IdOf(const uintptr_t* slot) {
  uintptr_t address = WordOf(*slot, layout_->shared_word);
  if (index_.empty()) Reindex(kSmallestIndex);
  Known known = Find(address);
  if (known.id == 0 && (moved_ || SlotFor(address)->address != 0)) {
    Reindex(index_.size());
    known = Find(address);
  }
  return known.id == 0 ? Add(address, slot) : known;
}

FunctionTable::Known FunctionTable::Add(uintptr_t address, const uintptr_t* slot) {
  if ((indexed_ + 1) * 2 > index_.size()) Reindex(std::max(kSmallestIndex, std::bit_ceil((used_ + 1) * 4)));
  uint32_t at;
  if (free_.empty()) {
    at = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    at = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[at];
  entry.id = ++last_id_;
  entry.frame = 0;
  entry.described = false;
  entry.shared.Reset(isolate_, LocalAt<v8::Value>(&address));
  entry.shared.SetWeak();
  v8::HandleScope scope(isolate_);
  v8::Local<v8::Function> function = LocalAt<v8::Function>(slot);
  entry.function.Reset(isolate_, function);
  entry.wasm = function->GetScriptOrigin().Options().IsWasm();
  ++used_;
  Index(address, at);
  to_describe_.push_back(at);
  return Of(entry);
}

void FunctionTable::Describe() {
  // `DescribeOne` may add functions to the list.
  for (size_t i = 0; i < to_describe_.size(); ++i) {
    Entry* entry = &entries_[to_describe_[i]];
    DescribeOne(entry);
    recent_.push_back(Of(*entry));
  }
  to_describe_.clear();
}

void FunctionTable::DescribeOne(Entry* entry) {
  v8::HandleScope scope(isolate_);
  v8::Local<v8::Function> function = entry->function.Get(isolate_);
  entry->frame = FrameOf(function, entry->shared);
  entry->function.Reset();
  entry->described = true;
}

Ref FunctionTable::FrameOf(v8::Local<v8::Function> function, const v8::Global<v8::Value>& shared) {
  v8::Local<v8::Value> name = function->GetName();
  if (!IsText(name) || name.As<v8::String>()->Length() == 0) name = function->GetInferredName();
  v8::Local<v8::Value> url;
  int line = 0;
  int column = 0;
  ScriptPlace place;
  if (function->ScriptId() > 0) {
    url = UrlOf(function, shared);
    line = function->GetScriptLineNumber() + 1;
    column = function->GetScriptColumnNumber() + 1;
#if NODE_MAJOR_VERSION >= 22
    place.start = function->GetScriptStartPosition();
#endif
  }
  v8::Local<v8::Value> nothing = v8::String::Empty(isolate_);
  v8::String::Utf8Value name_text(isolate_, IsText(name) ? name : nothing);
  v8::String::Utf8Value url_text(isolate_, IsText(url) ? url : nothing);
  return tables_->InternFrame(View(name_text), View(url_text).substr(0, kLongestUrl), line, column, place);
}

// Returns the script's own name, which no public function tells. Where it cannot be read, returns the public
// name, which a comment in the script may have changed.
v8::Local<v8::Value> FunctionTable::UrlOf(v8::Local<v8::Function> function,
                                          const v8::Global<v8::Value>& shared) {
  uintptr_t name = ScriptNameOf(*layout_, WordIn(shared));
  if (name == 0) return function->GetScriptOrigin().ResourceName();
  return v8::Local<v8::Value>::New(isolate_, LocalAt<v8::Value>(&name));
}

FunctionTable::Known FunctionTable::OfRecent(uint32_t id) const {
  auto found = std::lower_bound(recent_.begin(), recent_.end(), id,
                                [](const Known& known, uint32_t id) { return known.id < id; });
  if (found == recent_.end() || found->id != id) return {id, 0, false, false};
  return *found;
}

void FunctionTable::Trim() {
  if (used_ >= kMostFunctions && to_describe_.empty()) Clear();
}

void FunctionTable::Clear() {
  entries_.clear();
  free_.clear();
  index_.clear();
  to_describe_.clear();
  recent_.clear();
  used_ = indexed_ = 0;
}

}  // namespace memprof
