// A call over HTTP. The client and the server share a loop, so that they take the same turns each time.
#include <cstdint>
#include <stdexcept>
#include <string>

#include <quarq/rpc/http_machines.hpp>
#include <quarq/rpc/server.hpp>
#include <quarq/run.hpp>
#include <quarq/task_group.hpp>

#include "../tasks.hpp"
#include "recorder.hpp"

namespace quarq::bench::instructions {
namespace {

constexpr std::size_t calls = 500;

awaitable<std::int64_t> do_measure_by_call(std::string text) {
  co_return static_cast<std::int64_t>(text.size());
}

awaitable<void> call_some(const http_machines& where) {
  const auto text = argument();
  for (std::size_t i = 0; i < calls; ++i) {
    const auto size = co_await where.run(measure, text);
    if (size != static_cast<std::int64_t>(text.size()))
      throw std::runtime_error("a call did not do what is counted");
  }
}

awaitable<void> count_between(recorder& to, rpc::server& server, const http_machines& where) {
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(server.run());
    for (int i = 0; i < times; ++i) {
      to.begin();
      co_await call_some(where);
      to.end("a call over HTTP, client and server", calls);
    }
    server.stop();
  };
  co_await with_task_group(body);
}

}  // namespace

void count_calls(recorder& to) {
  handlers all;
  all.handle(measure, do_measure_by_call);
  rpc::server_options options;
  options.http.port = 0;
  rpc::server server(all, options);
  const http_machines where({"http://127.0.0.1:" + std::to_string(server.listen())});
  run(count_between(to, server, where));
}

}  // namespace quarq::bench::instructions
