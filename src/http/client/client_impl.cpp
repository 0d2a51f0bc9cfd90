#include "http/client/client_impl.hpp"

#include <cstdlib>

#include <boost/asio/query.hpp>

#include <quarq/errors.hpp>

#include "async/loop_lifetime.hpp"

namespace quarq::http {

namespace asio = boost::asio;

namespace {

proxy_rules rules_of(const client_options& options) {
  if (!options.proxy.empty()) return proxy_rules(options.proxy);
  if (!options.environment_proxy) return {};
  return proxy_rules::from_environment([](const char* name) -> const char* { return std::getenv(name); });
}

tls_settings settings_of(const client_options& options) {
  tls_settings settings;
  settings.verify = options.verify_tls;
  settings.ca_file = options.ca_file;
  settings.ca_pem = options.ca_pem;
  settings.certificate_file = options.certificate_file;
  settings.key_file = options.key_file;
  settings.pinned_key = options.pinned_key;
  return settings;
}

void check(const client_options& options) {
  if (options.max_connections == 0 || options.max_connections_per_host == 0)
    throw usage_error("http::client: 0 connections are allowed, expected at least 1");
  if (options.timeout.count() <= 0) throw usage_error("http::client: the timeout must be more than 0");
}

}  // namespace

client::impl::impl(client_options options)
    : options_(std::move(options)), defaults_(options_), proxies_(rules_of(options_)) {
  check(options_);
  // So that a file that is wrong is known at once.
  const bool reads_files =
      !options_.ca_file.empty() || !options_.ca_pem.empty() || !options_.certificate_file.empty();
  if (reads_files) tls();
}

client::impl::~impl() = default;

std::shared_ptr<const tls_context> client::impl::tls() {
  const std::lock_guard lock(mutex_);
  if (!tls_) tls_ = std::make_shared<tls_context>(tls_role::client, settings_of(options_));
  return tls_;
}

std::shared_ptr<connection_pool> client::impl::pool_of(const asio::any_io_executor& loop) {
  auto& context = asio::query(loop, asio::execution::context);
  const std::lock_guard lock(mutex_);
  std::erase_if(pools_, [](const auto& one) { return one.second->loop_is_gone(); });
  for (const auto& [its, pool] : pools_)
    if (its == &context) return pool;
  pool_limits limits;
  limits.total = options_.max_connections;
  limits.per_host = options_.max_connections_per_host;
  auto pool = std::make_shared<connection_pool>(loop, limits, counts_);
  async::loop_lifetime::of(context)->add(pool);
  pools_.emplace_back(&context, pool);
  return pool;
}

connections_of_client client::impl::connections() const noexcept {
  return {counts_->in_use, counts_->idle};
}

std::string client::impl::cookies_for(const url& to) {
  if (!options_.cookies) return "";
  const std::lock_guard lock(mutex_);
  return cookies_.header_for(to, std::chrono::system_clock::now());
}

void client::impl::keep_cookies(const url& from, const fields& headers) {
  if (!options_.cookies) return;
  const std::lock_guard lock(mutex_);
  for (const auto field : headers.find_all("Set-Cookie"))
    cookies_.store(from, field, std::chrono::system_clock::now());
}

void client::impl::succeeded() {
  if (budget_is_full_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  budget_.succeeded();
  budget_is_full_ = budget_.is_full();
}

std::optional<std::chrono::milliseconds> client::impl::pause_before_retry(const failed_attempt& facts) {
  const std::lock_guard lock(mutex_);
  budget_is_full_ = false;
  return http::pause_before_retry(options_.retries, facts, budget_);
}

}  // namespace quarq::http
