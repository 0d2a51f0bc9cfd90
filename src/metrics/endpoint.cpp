// The server of a worker's /metrics, /healthz and /readyz.
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/http/server.hpp>

#include "metrics/openmetrics_text.hpp"
#include "metrics/worker_page.hpp"
#include "workers/metrics_endpoint.hpp"

namespace quarq::metrics {

namespace {

// Few may look at once, and nobody can keep the worker busy by many connections.
constexpr std::size_t max_connections = 32;

http::server_options options_for(const std::string& text) {
  http::server_options how;
  const auto colon = text.rfind(':');
  const auto port = colon == text.npos ? "" : text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), how.port);
  if (colon == text.npos || colon == 0 || port.empty() || failed != std::errc() ||
      end != port.data() + port.size()) {
    throw usage_error(
        fmt::format("option metrics: expected ADDRESS:PORT, like 127.0.0.1:9100, got {}", text));
  }
  how.address = text.substr(0, colon);
  if (how.address.starts_with('[') && how.address.ends_with(']'))
    how.address = how.address.substr(1, how.address.size() - 2);
  how.max_connections = max_connections;
  // Prometheus comes from another host, and whoever gives such an address has chosen to let it.
  how.public_without_auth = true;
  return how;
}

class endpoint final : public workers::metrics_endpoint {
 public:
  endpoint(const std::string& address, workers::observed_worker of)
      : of_(std::move(of)), web_(options_for(address)) {
    web_.get("/metrics", [this] {
      return http::streamed(content_type,
                            [this](http::body_writer& out) { return write_worker_page(of_, out); });
    });
    // The loop turns, or nothing would answer.
    web_.get("/healthz", [] { return http::text("alive\n"); });
    web_.get("/readyz", [this] {
      const auto now = of_.state();
      return now.not_ready.empty() ? http::text("ready\n") : http::text(now.not_ready + "\n", 503);
    });
    web_.listen();
  }

  awaitable<void> run() override { co_await web_.run(); }

 private:
  workers::observed_worker of_;
  http::server web_;
};

std::unique_ptr<workers::metrics_endpoint> make(const std::string& address, workers::observed_worker of) {
  return std::make_unique<endpoint>(address, std::move(of));
}

[[maybe_unused]] const bool endpoints_can_be_made = (workers::set_endpoint_maker(&make), true);

}  // namespace

}  // namespace quarq::metrics

// The library's link option asks for it, so that this object is in the program.
extern "C" void quarq_metrics_are_linked() {}
