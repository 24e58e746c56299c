#include "heap/function_table.h"

#include <node_version.h>

#include <algorithm>
#include <bit>
#include <bitset>
#include <string_view>

#include "base/clocks.h"
#include "base/sample_code.h"
#include "heap/raw_handles.h"

#if NODE_MAJOR_VERSION < 22
// No public function tells where a function starts, but this version exports V8's own, whose object is a pointer
// to the tagged pointer. It is null where it is not exported.
extern "C" [[gnu::weak]] int StartPositionOfV8(const uintptr_t* shared) __asm__(
    "_ZNK2v88internal18SharedFunctionInfo13StartPositionEv");
#endif

namespace memprof {

namespace {

constexpr size_t kSmallestIndex = 1024;
static_assert(FunctionFrames::kMost == 2 * FunctionTable::kMostFunctions);

std::string_view View(const v8::String::Utf8Value& text) {
  return *text == nullptr ? std::string_view() : std::string_view(*text, text.length());
}

bool IsText(v8::Local<v8::Value> value) { return !value.IsEmpty() && value->IsString(); }

// How many characters of the script come before the function; -1 where nobody tells.
int PositionOf(v8::Local<v8::Function> function, uintptr_t shared) {
#if NODE_MAJOR_VERSION >= 22
  static_cast<void>(shared);
  return function->GetScriptStartPosition();
#else
  if (StartPositionOfV8 == nullptr || function->ScriptId() <= 0) return -1;
  return StartPositionOfV8(&shared);
#endif
}

}  // namespace

MEMPROF_SAMPLE_CODE FunctionTable::Slot* FunctionTable::SlotFor(uintptr_t address) {
  size_t mask = index_.size() - 1;
  for (size_t at = Mix(address) & mask;; at = (at + 1) & mask) {
    if (index_[at].address == address || index_[at].address == 0) return &index_[at];
  }
}

void FunctionTable::Index(uintptr_t address, uint32_t entry) {
  Slot* slot = SlotFor(address);
  if (slot->address == 0) ++indexed_;
  *slot = {address, entry, IdOfEntry(entry), epoch_};
}

// Indexes all functions that still exist by their current addresses.
void FunctionTable::Reindex(size_t slots) {
  index_.assign(slots, {});
  indexed_ = 0;
  moved_ = false;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (uintptr_t address = WordIn(entries_[i].shared)) Index(address, i);
  }
}

// Returns null when no function is known at this address, or the known one has died or moved.
MEMPROF_SAMPLE_CODE const FunctionTable::Slot* FunctionTable::Find(uintptr_t address) {
  Slot* slot = SlotFor(address);
  if (slot->address == 0) return nullptr;
  if (slot->epoch == epoch_) return slot;
  if (WordIn(entries_[slot->entry].shared) != address) return nullptr;
  slot->epoch = epoch_;
  return slot;
}

// The answer for a map stays true until a full GC, which may collect or move it.
MEMPROF_SAMPLE_CODE bool FunctionTable::IsFunction(const uintptr_t* slot) {
  uintptr_t map = WordOf(*slot, 0);
  if (IsKnownMap(map)) return true;
  if (!LocalAt<v8::Value>(slot)->IsFunction()) return false;
  function_maps_[next_map_++ % kFunctionMaps] = map;
  return true;
}

MEMPROF_SAMPLE_CODE uint32_t FunctionTable::IdOf(const uintptr_t* slot) {
  if (!IsFunction(slot)) return kNoFunctionId;
  uintptr_t address = WordOf(*slot, layout_->shared_word);
  if (index_.empty()) Reindex(kSmallestIndex);
  const Slot* known = Find(address);
  if (known == nullptr && (moved_ || SlotFor(address)->address != 0)) {
    Reindex(index_.size());
    known = Find(address);
  }
  return known == nullptr ? Add(address, slot) : known->id;
}

uint32_t FunctionTable::Add(uintptr_t address, const uintptr_t* slot) {
  if (entries_.size() >= 2 * kMostFunctions) return kNoRoomId;
  if ((indexed_ + 1) * 2 > index_.size())
    Reindex(std::max(kSmallestIndex, std::bit_ceil((indexed_ + 1) * 4)));
  auto at = static_cast<uint32_t>(entries_.size());
  Entry& entry = entries_.emplace_back();
  entry.shared.Reset(isolate_, LocalAt<v8::Value>(&address));
  entry.shared.SetWeak();
  v8::HandleScope scope(isolate_);
  v8::Local<v8::Function> function = LocalAt<v8::Function>(slot);
  entry.function.Reset(isolate_, function);
  entry.wasm = function->GetScriptOrigin().Options().IsWasm();
  entry.info.script_id = std::max(0, function->ScriptId());
  entry.info.position = PositionOf(function, address);
  Index(address, at);
  to_describe_.push_back(at);
  return IdOfEntry(at);
}

void FunctionTable::FindStarts(std::span<Start> starts) const {
  auto place_of = [](int32_t script_id, int32_t position) {
    return Mix((uint64_t{static_cast<uint32_t>(script_id)} << 32) + static_cast<uint32_t>(position)) % 256;
  };
  std::bitset<256> wanted;  // few functions pass, so all are looked at quickly
  for (Start& each : starts) {
    each.id = 0;
    if (each.script_id > 0 && each.position >= 0) wanted.set(place_of(each.script_id, each.position));
  }
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    const Info& info = entries_[i].info;
    bool described = info.described && !entries_[i].wasm;  // those have no ids of their own
    if (!described || !wanted[place_of(info.script_id, info.position)]) continue;
    for (Start& each : starts) {
      if (each.script_id == info.script_id && each.position == info.position) each.id = IdOfEntry(i);
    }
  }
}

bool FunctionTable::Describe(uint64_t until_ns) {
  // `DescribeOne` may add functions to the list.
  size_t done = 0;
  while (done < to_describe_.size() && MonotonicNs() <= until_ns &&
         DescribeOne(to_describe_[done], until_ns)) {
    ++done;
  }
  to_describe_.erase(to_describe_.begin(), to_describe_.begin() + static_cast<ptrdiff_t>(done));
  return to_describe_.empty();
}

bool FunctionTable::DescribeOne(uint32_t at, uint64_t until_ns) {
  Entry* entry = &entries_[at];
  v8::HandleScope scope(isolate_);
  v8::Local<v8::Function> function = entry->function.Get(isolate_);
  std::string_view url;
  ScriptTexts::Place place;
  Info& info = entry->info;
  if (info.script_id > 0) {
    place = texts_.PlaceOf(*layout_, function, entry->shared, info.position, until_ns);
    if (!place.ready) return false;
    url = *place.url;
  }
  v8::String::Utf8Value name(isolate_, NameOf(function));
  info.frame = tables_->InternFrame(View(name), url, place.line, place.column, {.start = info.position});
  info.described = true;
  (*frames_)->Set(first_id_ + at, info.frame);
  entry->function.Reset();
  return true;
}

v8::Local<v8::Value> FunctionTable::NameOf(v8::Local<v8::Function> function) {
  v8::Local<v8::Value> name = function->GetName();
  if (!IsText(name) || name.As<v8::String>()->Length() == 0) name = function->GetInferredName();
  return IsText(name) ? name : v8::String::Empty(isolate_).As<v8::Value>();
}

void FunctionTable::Clear() {
  first_id_ += static_cast<uint32_t>(entries_.size());
  entries_.clear();
  index_.clear();
  to_describe_.clear();
  texts_.Clear();
  indexed_ = 0;
}

}  // namespace memprof
