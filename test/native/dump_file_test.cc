#include "dump/dump_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "check.h"

namespace memprof {
namespace {

class Folder {
 public:
  Folder() { ok_ = mkdtemp(path_) != nullptr; }
  ~Folder() {
    std::string command = std::string("rm -rf ") + path_;
    if (system(command.c_str()) != 0) perror(path_);
  }
  bool ok() const { return ok_; }
  bool IsEmpty() const { return std::filesystem::is_empty(path_); }
  std::string path() const { return path_; }

 private:
  char path_[64] = "/tmp/memprof-dump-XXXXXX";
  bool ok_;
};

std::string ReadFile(std::string_view path) {
  std::ifstream file{std::string(path)};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(DumpFilesAreNamedAsTheCommandNamesItsOwn) {
  Folder folder;
  REQUIRE(folder.ok());
  DumpFile file;
  REQUIRE(file.Open(folder.path(), 12, 3));
  int date, time, pid, thread, number, end = 0;
  std::string name(file.path().substr(folder.path().size()));
  int read = sscanf(name.c_str(), "/memprof.%8d.%6d.%d.%d.%3d.oom.txt%n", &date, &time, &pid, &thread,
                    &number, &end);
  CHECK_EQ(read, 5);
  CHECK_EQ(static_cast<size_t>(end), name.size());
  CHECK(date > 20250000 && date < 30000000);
  CHECK_EQ(pid, getpid());
  CHECK_EQ(thread, 12);
  CHECK_EQ(number, 3);
}

TEST(DumpFilesHoldWhatWasWritten) {
  Folder folder;
  REQUIRE(folder.ok());
  std::string expected;
  DumpFile file;
  REQUIRE(file.Open(folder.path(), 0, 1));
  for (int i = 0; i < 3000; ++i) {
    std::string piece(i % 50, static_cast<char>('a' + i % 26));
    file.Write(piece);
    expected += piece;
  }
  std::string large(100'000, 'z');
  file.Write(large);
  expected += large;
  CHECK(file.Close());
  CHECK(ReadFile(file.path()) == expected);
}

TEST(DumpFilesHaveTheirNameWhenTheyAreWhole) {
  Folder folder;
  REQUIRE(folder.ok());
  DumpFile file;
  REQUIRE(file.Open(folder.path(), 0, 1));
  file.Write(std::string(100'000, 'x'));
  CHECK(!std::filesystem::exists(file.path()));
  CHECK(std::filesystem::exists(std::string(file.path()) + ".part"));
  CHECK(file.Close());
  CHECK_EQ(ReadFile(file.path()).size(), 100'000);
  CHECK(!std::filesystem::exists(std::string(file.path()) + ".part"));
}

TEST(NothingIsOverwrittenWhateverComesInBetween) {
  Folder folder;
  REQUIRE(folder.ok());
  DumpFile file;
  REQUIRE(file.Open(folder.path(), 0, 1));
  file.Write("ours");
  std::ofstream(std::string(file.path())) << "theirs";
  CHECK(!file.Close());
  CHECK_EQ(file.error(), EEXIST);
  CHECK_EQ(ReadFile(file.path()), std::string("theirs"));
}

TEST(NothingIsOverwritten) {
  Folder folder;
  REQUIRE(folder.ok());
  // The second may change in between: then the names differ anyway.
  DumpFile first;
  DumpFile second;
  REQUIRE(first.Open(folder.path(), 0, 1));
  first.Write("first");
  REQUIRE(second.Open(folder.path(), 0, 1));
  second.Write("second");
  CHECK(first.Close() && second.Close());
  CHECK(first.path() != second.path());
  CHECK_EQ(ReadFile(first.path()), std::string("first"));
  CHECK_EQ(ReadFile(second.path()), std::string("second"));
}

TEST(ADirectoryThatIsNotThereIsAnError) {
  DumpFile file;
  CHECK(!file.Open("/nowhere/at/all", 0, 1));
  CHECK_EQ(file.error(), ENOENT);
  file.Write(std::string(100'000, 'x'));
  CHECK(!file.Close());
  CHECK(file.path().starts_with("/nowhere/at/all/memprof."));
}

TEST(ADirectoryWithTooLongANameIsAnError) {
  DumpFile file;
  CHECK(!file.Open(std::string(5000, 'x'), 0, 1));
  CHECK_EQ(file.error(), ENAMETOOLONG);
}

TEST(AFullDiskIsAnErrorAndNoMore) {
  Folder folder;
  REQUIRE(folder.ok());
  signal(SIGXFSZ, SIG_IGN);  // as Node has it
  rlimit small{20'000, 20'000};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  DumpFile file;
  REQUIRE(file.Open(folder.path(), 0, 1));
  for (int i = 0; i < 1000; ++i) file.Write(std::string(100, 'x'));
  CHECK(!file.Close());
  CHECK_EQ(file.error(), EFBIG);
  // A text that is cut off would read as a whole one.
  CHECK(folder.IsEmpty());
}

TEST(ErrorLinesAreOneLine) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  int before = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  {
    ErrorLine line;
    line.Write(std::string(10'000, 'x'));
    line.WriteError(ENOSPC);
  }
  dup2(before, STDERR_FILENO);
  close(ends[1]);
  std::string text(20'000, '\0');
  text.resize(read(ends[0], text.data(), text.size()));
  CHECK(text.starts_with("memprof: xxx") && text.ends_with("x\n"));
  CHECK(text.size() > 4096 && text.size() < 10'000);
}

TEST(ErrorLinesDoNotWaitForEver) {
  int ends[2];
  REQUIRE(pipe2(ends, O_NONBLOCK) == 0);
  std::string much(1 << 20, 'x');
  while (write(ends[1], much.data(), much.size()) > 0) {
  }
  int before = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  { ErrorLine line; }
  CHECK_EQ(dup2(before, STDERR_FILENO), STDERR_FILENO);
}

}  // namespace
}  // namespace memprof
