// Finds in one table, to be counted by valgrind (../table-counts.cjs): nothing is timed.
// usage: find_counts KEY TABLE KEYS OPERATIONS PREPARED; of the finds that are prepared, it does the first. Without
// arguments it prints the names of tables, one a line.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tables.h"

namespace bench {
namespace {

template <typename Table, typename Key>
void Find(size_t key_count, size_t operations, size_t prepared) {
  std::vector<Key> keys = MakeKeys<Key>(key_count);
  auto table = std::make_unique<Table>();
  for (const Key& key : keys) table->Add(key);
  std::vector<uint32_t> order = ZipfOrder(key_count, prepared, 1);
  order.resize(operations);
  Key key;
  for (uint32_t at : order) {
    memcpy(&key, &keys[at], sizeof(key));
    table->Add(key);
  }
}

template <template <typename> typename... Tables>
bool Run(const char* key, const char* name, size_t keys, size_t operations, size_t prepared) {
  bool is_stack = strcmp(key, StackKey::kName) == 0;
  auto one = [&]<template <typename> typename Table>() {
    if (strcmp(name, Table<StackKey>::kName) != 0) return false;
    is_stack ? Find<Table<StackKey>, StackKey>(keys, operations, prepared)
             : Find<Table<BucketKey>, BucketKey>(keys, operations, prepared);
    return true;
  };
  return (one.template operator()<Tables>() || ...);
}

template <template <typename> typename... Tables>
int Main(int argc, char** argv) {
  if (argc != 6) return (puts(Tables<StackKey>::kName), ...), argc != 1;
  auto number = [argv](int at) { return strtoull(argv[at], nullptr, 10); };
  return Run<Tables...>(argv[1], argv[2], number(3), number(4), number(5)) ? 0 : 2;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
#ifdef BENCH_HAS_BOOST
  return Main<NoTable, MemprofTable, MemprofByHash, MutexTable, BoostFlatMap>(argc, argv);
#else
  return Main<NoTable, MemprofTable, MemprofByHash, MutexTable>(argc, argv);
#endif
}
