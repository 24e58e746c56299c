#include "heap/call_paths.h"

#include <algorithm>
#include <bit>

namespace memprof {

uint32_t CallPaths::Intern(std::span<const uint32_t> functions) {
  size_t count = functions.size();
  auto function_at = [&](size_t depth) { return functions[count - 1 - depth]; };
  size_t same = 0;
  while (same < count && same < before_.size() && before_[same].function == function_at(same)) ++same;
  before_.resize(count);
  if (same != 0 && before_[same - 1].node == 0) {
    before_[same - 1].node = Find(before_[same - 1].hash);
  }
  if (same == count) return before_.back().node;
  uint64_t hash = same == 0 ? kSeed : before_[same - 1].hash;
  for (size_t i = same; i < count; ++i) {
    hash = HashOf(hash, function_at(i));
    before_[i] = {function_at(i), 0, hash};
  }
  if ((used_ + count) * 2 > index_.size()) Grow(count);
  uint32_t node = Find(hash);
  if (node != 0) return before_.back().node = node;
  for (size_t i = same; i + 1 < count; ++i) __builtin_prefetch(&index_[before_[i].hash & mask_]);
  size_t known = count - 1;
  while (known > same && (node = Find(before_[known - 1].hash)) == 0) --known;
  if (known != same) {
    before_[known - 1].node = node;
  } else {
    node = same == 0 ? 0 : before_[same - 1].node;
  }
  for (size_t i = known; i < count; ++i) {
    node = Add(node, before_[i].function, before_[i].hash);
    before_[i].node = node;
  }
  return node;
}

uint32_t CallPaths::Add(uint32_t parent, uint32_t function, uint64_t hash) {
  if (used_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Node[]>(kChunk));
  auto node = static_cast<uint32_t>(++used_);
  At(node) = {hash, parent, function, 0};
  Index(node, hash);
  return node;
}

void CallPaths::Index(uint32_t node, uint64_t hash) {
  size_t at = hash & mask_;
  while (index_[at].node != 0) at = (at + 1) & mask_;
  index_[at] = {static_cast<uint32_t>(hash >> 32), node};
}

void CallPaths::Grow(size_t more) {
  size_t slots = std::max(kSmallestIndex, std::bit_ceil((used_ + more) * 4));
  index_.assign(slots, {});
  mask_ = slots - 1;
  for (uint32_t node = 1; node <= used_; ++node) Index(node, At(node).hash);
}

void CallPaths::Clear() {
  std::vector<std::unique_ptr<Node[]>>().swap(chunks_);
  std::vector<Slot>().swap(index_);
  std::vector<Before>().swap(before_);
  mask_ = 0;
  used_ = 0;
}

}  // namespace memprof
