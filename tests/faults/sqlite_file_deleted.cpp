// The database file is deleted under a worker: it ends and says why, instead of serving for ever what nobody
// else can see.
#include <filesystem>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class sqlite_file_deleted : public fault_test {};

TEST_P(sqlite_file_deleted, ends_the_worker_with_a_line_that_says_so) {
  auto& worker = start_worker();
  const auto id = enqueue(note(1));
  EXPECT_EQ(result<int>(id), 1);
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file() + part);
  const auto end = worker.wait(soon);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 1);
  EXPECT_NE(worker.log().find(file() + ": was deleted or replaced"), std::string::npos) << worker.log();
}

INSTANTIATE_TEST_SUITE_P(on, sqlite_file_deleted, testing::Values(store_kind::sqlite),
                         [](const auto&) { return std::string("sqlite"); });

}  // namespace
}  // namespace quarq::test
