// The types of the dashboard's pages, checked by the TypeScript compiler: dashboard/types has what they use of others.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "support/command.hpp"
#include "support/process.hpp"

namespace quarq::test::dashboard_types {
namespace {

TEST(dashboard_types, are_what_the_pages_say) {
  const std::string compiler = QUARQ_TEST_SOURCE_DIR "/../build/node-peers/node_modules/typescript/bin/tsc";
  const bool has_node = run_command({"/bin/sh", "-c", "command -v node"}).exit_code == 0;
  if (!has_node || !std::filesystem::exists(compiler)) {
    const auto* const why = "node or build/node-peers is missing";
    if (std::getenv("CI") != nullptr) FAIL() << why;
    GTEST_SKIP() << why;
  }
  const auto done =
      run_command({"/usr/bin/env", "node", compiler, "-p", QUARQ_TEST_SOURCE_DIR "/interop/dashboard/types"},
                  {}, std::chrono::seconds(280));
  EXPECT_EQ(done.exit_code, 0) << tail(done.out) << '\n' << tail(done.err);
}

}  // namespace
}  // namespace quarq::test::dashboard_types
