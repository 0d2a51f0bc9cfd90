// The library's log, as a test reads it.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "base/log.hpp"
#include "support/secrets.hpp"

namespace quarq::test {

/// While it exists, what the library logs is kept here in place of going where it went. Thread safety: its
/// members may be called while others log.
class captured_log {
 public:
  captured_log()
      : sink_(std::make_shared<sink>()), before_(base::log().sinks()), level_(base::log().level()) {
    base::log().sinks() = {sink_};
    base::log().set_level(spdlog::level::trace);
  }
  ~captured_log() {
    base::log().sinks() = before_;
    base::log().set_level(level_);
    expect_no_secret("the log", text());
  }
  captured_log(const captured_log&) = delete;
  captured_log& operator=(const captured_log&) = delete;

  std::string text() const { return sink_->text(); }
  bool has(const std::string& part) const { return text().find(part) != std::string::npos; }
  std::size_t count(const std::string& part) const {
    const auto all = text();
    std::size_t n = 0;
    for (auto at = all.find(part); at != all.npos; at = all.find(part, at + 1)) ++n;
    return n;
  }

 private:
  class sink final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::string text() {
      const std::lock_guard lock(mutex_);
      return text_;
    }

   private:
    void sink_it_(const spdlog::details::log_msg& msg) override {
      text_.append(msg.payload.data(), msg.payload.size()).append("\n");
    }
    void flush_() override {}

    std::string text_;
  };

  const std::shared_ptr<sink> sink_;
  const std::vector<spdlog::sink_ptr> before_;
  const spdlog::level::level_enum level_;
};

}  // namespace quarq::test
