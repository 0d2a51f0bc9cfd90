// quarq-instructions: walks the hot paths under callgrind, which counts their instructions. What it prints, and
// the profiles that callgrind writes, are for instructions.py (./dev instructions).
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <boost/version.hpp>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sqlite3.h>

#include "base/log.hpp"
#include "recorder.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"

namespace {

// Counts hold for these alone: they compile the paths, or are parts of them.
void print_environment() {
  fmt::print(R"({{"compiler": "{} {}.{}.{}", "glibc": "{}", "libstdc++": "{}", "Boost": "{}", "fmt": "{}", )"
             R"("SQLite": "{}"}})",
#ifdef __clang__
             "clang", __clang_major__, __clang_minor__, __clang_patchlevel__,
#else
             "g++", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__,
#endif
             ::gnu_get_libc_version(), __GLIBCXX__, BOOST_LIB_VERSION, FMT_VERSION, ::sqlite3_libversion());
}

void print(const quarq::bench::instructions::recorder& counted) {
  fmt::print(R"({{"environment": )");
  print_environment();
  fmt::print(R"(, "units": {{)");
  std::string_view separator;
  for (const auto& [path, units] : counted.units()) {
    fmt::print("{}\"{}\": {}", separator, path, units);
    separator = ", ";
  }
  fmt::print("}}}}\n");
}

}  // namespace

int main() {
  namespace counting = quarq::bench::instructions;
  try {
    quarq::base::set_log_level("off");
    counting::recorder counted;
    counting::count_plain_code(counted);
    counting::count_running(counted);
    counting::count_calls(counted);
    {
      const quarq::test::temp_dir folder;
      counting::count_store(counted, "sqlite", "sqlite:" + (folder / "jobs.db"));
    }
    {
      quarq::test::redis_server_options memory_only;
      memory_only.extra = {"--save", ""};
      const quarq::test::redis_server server(memory_only);
      counting::count_store(counted, "redis", fmt::format("redis://127.0.0.1:{}", server.plain_port()));
    }
    print(counted);
  } catch (const std::exception& e) {
    fmt::print(stderr, "quarq-instructions: {}\n", e.what());
    return 1;
  }
  return 0;
}
