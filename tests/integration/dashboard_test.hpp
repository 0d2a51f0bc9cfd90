// A dashboard on a server of its own, at each kind of broker, with a client that asks it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <quarq/dashboard.hpp>
#include <quarq/http/client.hpp>

#include "integration/worker_test.hpp"
#include "support/served.hpp"

namespace quarq::test {

namespace json = boost::json;

class dashboard_test : public worker_test {
 protected:
  http::server& web() { return web_; }

  /// Once, before asking.
  void serve_pages(dashboard_options options = {}) {
    web_.options().port = 0;
    prefix_ = options.prefix;
    serve_dashboard(web_, queue(this->options().broker), std::move(options));
    running_.emplace(web_);
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(running_->port) + prefix_ + path;
  }

  using header = std::pair<std::string, std::string>;
  http::response ask(std::string_view method, const std::string& path, const std::string& content = {},
                     const std::vector<header>& headers = {}) {
    http::request_options how;
    if (!content.empty()) {
      how.body = content;
      how.content_type = "application/json";
    }
    http::fields fields;
    for (const auto& [name, value] : headers) fields.set(name, value);
    if (!fields["Content-Type"].empty()) how.content_type = {};
    how.headers = fields;
    return run_on_loop(client_.request(method, url(path), how));
  }
  json::value get(const std::string& path) {
    const auto answer = ask("GET", path);
    EXPECT_EQ(answer.status, 200) << path << ": " << answer.body;
    return json::parse(answer.body);
  }
  json::value post(const std::string& path, const std::string& content) {
    const auto answer = ask("POST", path, content);
    EXPECT_EQ(answer.status, 200) << path << ": " << answer.body;
    return json::parse(answer.body);
  }
  /// The overview's entry of a queue, as soon as `holds` says so of it.
  template <class F>
  json::object queue_when(const std::string& name, F holds) {
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (true) {
      const auto view = get("/api/overview");
      for (const auto& one : view.at("queues").as_array()) {
        if (one.at("name").as_string() == name && holds(one.as_object())) return one.as_object();
      }
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error("in vain: " + json::serialize(view));
      std::this_thread::sleep_for(20ms);
    }
  }

 public:
  static std::vector<broker_kind> brokers() {
    std::vector<broker_kind> chosen;
    for (const auto& kind : broker_kinds()) {
      if (kind.name == "sqlite_normal" || kind.name == "redis" || kind.name == "arq_msgpack")
        chosen.push_back(kind);
    }
    return chosen;
  }

 private:
  http::server web_;
  std::string prefix_;
  std::optional<served> running_;
  http::client client_;
};

}  // namespace quarq::test
