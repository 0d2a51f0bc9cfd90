#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <quarq/errors.hpp>
#include <quarq/rpc/server.hpp>

#include "http/server/main.hpp"
#include "rpc/openapi.hpp"
#include "rpc/service.hpp"

namespace quarq::rpc {

namespace {

void describe(http::server& web, const std::vector<quarq::detail::named_handler>& all) {
  web.get("/openapi.json",
          [text = openapi_of(all)] { return http::response(200, text, "application/json"); });
  web.get("/docs", [] {
    http::response page(200, std::string(docs_page), "text/html; charset=utf-8");
    page.headers.set("Content-Security-Policy", docs_policy);
    return page;
  });
}

}  // namespace

struct server::impl {
  explicit impl(http::server_options options) : web(std::move(options)) {}

  http::server web;
  std::shared_ptr<service> calls;
  std::string mistake;  // for run() to throw: programs make servers in main()

  void check() const {
    if (!mistake.empty()) throw usage_error(mistake);
  }
  awaitable<void> run() {
    check();
    co_await calls->start();
    co_await web.run();
  }
};

server::server(const handlers& those, server_options options)
    : impl_(std::make_unique<impl>(std::move(options.http))) {
  try {
    const auto max = options.calls.max_arguments;
    impl_->calls = std::make_shared<service>(those, std::move(options.calls));
    add_route_of(impl_->web, impl_->calls, max);
    describe(impl_->web, quarq::detail::handlers_access::all(those));
  } catch (const error& e) {
    impl_->mistake = e.what();
  }
}

server::~server() = default;

http::server& server::http() noexcept {
  return impl_->web;
}

std::uint16_t server::listen() {
  impl_->check();
  return impl_->web.listen();
}

awaitable<void> server::run() {
  return impl_->run();
}

void server::stop() {
  impl_->web.stop();
}

int server::main(int argc, char** argv) {
  auto& web = impl_->web;
  return http::run_main(web, argc, argv, [this, &web] {
    if (web.options().threads > 1) throw usage_error("--threads: handlers of tasks are served by one loop");
    quarq::run(http::run_until_signal(web, [this] { return run(); }));
  });
}

}  // namespace quarq::rpc
