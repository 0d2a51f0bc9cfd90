// What all requests of a client share.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <quarq/http/client.hpp>

#include "http/client/connection_pool.hpp"
#include "http/client/cookies.hpp"
#include "http/client/outgoing.hpp"
#include "http/client/proxy_rules.hpp"
#include "http/client/resend.hpp"
#include "http/net/resolver.hpp"
#include "http/net/tls_context.hpp"

namespace quarq::http {

/// Thread safety: any.
class client::impl {
 public:
  explicit impl(client_options options);
  ~impl();

  const client_options& options() const noexcept { return options_; }
  const request_defaults& defaults() const noexcept { return defaults_; }
  const proxy_rules& proxies() const noexcept { return proxies_; }
  resolver& names() const noexcept { return resolver::of_process(); }
  /// Made on first use: reading whom the system trusts takes some milliseconds.
  std::shared_ptr<const tls_context> tls();
  /// The pool of this loop.
  std::shared_ptr<connection_pool> pool_of(const boost::asio::any_io_executor& loop);
  connections_of_client connections() const noexcept;

  /// "" if this client keeps no cookies.
  std::string cookies_for(const url& to);
  void keep_cookies(const url& from, const fields& headers);

  void succeeded();
  std::optional<std::chrono::milliseconds> pause_before_retry(const failed_attempt& facts);

 private:
  client_options options_;
  request_defaults defaults_;
  proxy_rules proxies_;
  std::shared_ptr<connection_counts> counts_ = std::make_shared<connection_counts>();
  std::mutex mutex_;
  std::shared_ptr<const tls_context> tls_;
  std::vector<std::pair<boost::asio::execution_context*, std::shared_ptr<connection_pool>>> pools_;
  retry_budget budget_;
  std::atomic<bool> budget_is_full_{false};  // most requests succeed, and change nothing
  cookie_jar cookies_;
};

}  // namespace quarq::http
