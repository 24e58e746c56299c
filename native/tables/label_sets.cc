#include "tables/label_sets.h"

namespace memprof {

LabelSets* LabelSets::Process() {
  static auto* sets = new LabelSets();
  return sets;
}

uint32_t LabelSets::Intern(const LabelSet& set, bool others) {
  std::string name;
  for (const std::string& text : set) name += std::to_string(text.size()) + ':' + text;
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = numbers_.find(name);
  if (found != numbers_.end()) return found->second;
  if (sets_.size() >= (others ? kMostSets + kMostOthers : kMostSets)) return 0;
  sets_.push_back(set);
  auto number = static_cast<uint32_t>(sets_.size());
  numbers_.emplace(std::move(name), number);
  return number;
}

LabelSet LabelSets::At(uint32_t number) {
  std::lock_guard<std::mutex> lock(mutex_);
  return number == 0 || number > sets_.size() ? LabelSet() : sets_[number - 1];
}

uint32_t LabelSets::Count() {
  std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<uint32_t>(sets_.size());
}

}  // namespace memprof
