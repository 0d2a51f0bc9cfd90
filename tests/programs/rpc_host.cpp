// One of several hosts that a test kills, stops and starts again: rpc_host PORT JOURNAL. Each call appends its key to
// the journal when it begins, and takes a few milliseconds.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <quarq/handlers.hpp>
#include <quarq/rpc/server.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "programs/die_with_parent.hpp"

namespace {

using namespace std::chrono_literals;

constexpr quarq::task<std::string(std::string key)> note{"note", "key"};

}  // namespace

int main(int argc, char** argv) {
  quarq::test::die_with_parent();
  if (argc != 3) {
    std::fprintf(stderr, "usage: rpc_host PORT JOURNAL\n");
    return 2;
  }
  const int journal = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  quarq::handlers all;
  all.handle(note, [journal](std::string key) -> quarq::awaitable<std::string> {
    const std::string line = key + "\n";
    if (write(journal, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(1);
    co_await quarq::sleep_for(10ms);
    co_return key;
  });
  quarq::rpc::server_options options;
  options.http.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  quarq::rpc::server server(all, options);
  std::printf("%d\n", server.listen());
  std::fflush(stdout);
  quarq::run(server.run());
}
