// The dashboard's answers to requests.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/awaitable.hpp>
#include <quarq/dashboard.hpp>
#include <quarq/http/answers.hpp>
#include <quarq/http/event_writer.hpp>

#include "clients/queue_impl.hpp"
#include "dashboard/audit_log.hpp"
#include "dashboard/reader.hpp"

namespace quarq::dashboard {

/// Belongs to the server's loop.
class site : public std::enable_shared_from_this<site> {
 public:
  site(std::shared_ptr<clients::queue_impl> where, dashboard_options options);

  /// To whatever is below the prefix.
  awaitable<http::response> answer(http::request& r);

 private:
  awaitable<http::response> dispatch(http::request& r, std::string_view path);
  awaitable<http::response> read(http::request& r, std::string_view what);
  awaitable<http::response> write(http::request& r, std::string_view what);
  http::response file(const http::request& r, std::string_view path) const;

  awaitable<http::response> session(http::request& r);
  awaitable<http::response> jobs(http::request& r);
  awaitable<http::response> job(http::request& r);
  awaitable<http::response> metrics();
  awaitable<http::response> events(http::request& r);
  awaitable<void> tell(http::event_writer& out);
  awaitable<void> tell_of_job(http::event_writer& out, std::string queue, std::string id);

  awaitable<done_view> change(std::string_view what, std::string body, audit_view& noted);
  awaitable<void> open();
  dashboard_role role_of(const http::request& r) const;

  std::shared_ptr<clients::queue_impl> queue_;
  dashboard_options options_;
  audit_log audit_;
  std::unique_ptr<reader> reader_;
};

}  // namespace quarq::dashboard
