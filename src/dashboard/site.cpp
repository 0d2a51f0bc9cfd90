#include "dashboard/site.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/http/problem.hpp>
#include <quarq/time.hpp>

#include "codecs/utf8.hpp"
#include "dashboard/access.hpp"
#include "dashboard/actions.hpp"
#include "dashboard/broker_page.hpp"
#include "dashboard/web_files.hpp"
#include "http/coding/content_decoder.hpp"
#include "metrics/openmetrics_text.hpp"
#include "rpc/broker_problem.hpp"

namespace quarq::dashboard {

namespace asio = boost::asio;

namespace {

constexpr std::size_t default_limit = 50;
constexpr std::size_t max_limit = 500;
constexpr std::chrono::milliseconds events_interval{1'000};
constexpr std::chrono::milliseconds running_interval{500};  // of events of a job that runs
constexpr std::chrono::seconds max_quiet{15};               // without an event, until a sign of life

unix_ms now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())
      .time_since_epoch()
      .count();
}

template <class T>
T body_as(const std::string& body) {
  return from_msgpack<T>(http::detail::msgpack_of_json(body, "body"), "body");
}

std::string required(const http::request& r, std::string_view name) {
  auto value = r.query(name);
  if (!value || value->empty()) throw http::problem(422, fmt::format("{}: it is missing", name));
  return std::move(*value);
}

template <class T>
std::optional<T> number(const http::request& r, std::string_view name) {
  const auto text = r.query(name);
  if (!text || text->empty()) return std::nullopt;
  T value{};
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failed != std::errc() || end != text->data() + text->size())
    throw http::problem(422,
                        fmt::format("{}: expected a number, got \"{}\"", name, codecs::printable(*text, 40)));
  return value;
}

job_query query_of(const http::request& r) {
  job_query query;
  const auto words = r.query("state").value_or("");
  for (std::string_view rest = words; !rest.empty();) {
    const auto word = rest.substr(0, rest.find(','));
    query.states.emplace_back(word);
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  query.task = r.query("task").value_or("");
  query.error = r.query("error").value_or("");
  query.text = r.query("text").value_or("");
  query.id = r.query("id").value_or("");
  query.since = number<unix_ms>(r, "since");
  query.until = number<unix_ms>(r, "until");
  return query;
}

std::string in_words(const job_query& q) {
  std::string words;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) words += fmt::format("{}{}={}", words.empty() ? "" : " ", name, value);
  };
  for (const auto& state : q.states) add("state", state);
  add("task", q.task);
  add("error", q.error);
  add("text", q.text);
  add("id", q.id);
  if (q.since) add("since", std::to_string(*q.since));
  if (q.until) add("until", std::to_string(*q.until));
  return words;
}

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/javascript; charset=utf-8";
}

std::string unzipped(std::string_view bytes) {
  http::content_decoder decoder({http::coding::gzip});
  decoder.feed(bytes);
  std::string text;
  std::array<char, 16 * 1024> some;
  while (const auto size = decoder.read(some)) text.append(some.data(), size);
  return text;
}

const web_file* find_file(std::string_view name) {
  const auto all = web_files();
  const auto found = std::ranges::find(all, name, &web_file::name);
  return found == all.end() ? nullptr : &*found;
}

// Without a page's version its answer is always asked for anew.
http::response page_of(const web_file& file, bool takes_gzip) {
  http::response answer(200, takes_gzip ? std::string(file.gzipped) : unzipped(file.gzipped),
                        type_of(file.name));
  if (takes_gzip) answer.headers.set("Content-Encoding", "gzip");
  answer.headers.set("Vary", "Accept-Encoding");
  return answer;
}

std::string with_version(std::string page) {
  constexpr std::string_view place = "VERSION";
  for (auto at = page.find(place); at != page.npos; at = page.find(place)) {
    page.replace(at, place.size(), web_version());
  }
  return page;
}

http::response index_page() {
  const auto* const file = find_file("index.html");
  static const auto text = with_version(unzipped(file->gzipped));
  http::response answer(200, text, type_of(file->name));
  answer.headers.set("Cache-Control", "no-cache");
  return answer;
}

}  // namespace

site::site(std::shared_ptr<clients::queue_impl> where, dashboard_options options)
    : queue_(std::move(where)), options_(std::move(options)), audit_(options_.audit_file) {}

dashboard_role site::role_of(const http::request& r) const {
  return options_.role_of ? options_.role_of(r) : dashboard_role::operator_;
}

awaitable<void> site::open() {
  const auto loop = co_await asio::this_coro::executor;
  if (reader_) co_return;
  reader_ = std::make_unique<reader>(queue_->on(loop), redaction(options_.redacted, options_.hide_payloads));
}

awaitable<http::response> site::answer(http::request& r) {
  http::response made;
  std::string_view path = r.path();
  path.remove_prefix(std::min(options_.prefix.size(), path.size()));
  if (path.empty()) {
    // The page's own links are relative to its folder.
    const auto name = options_.prefix.substr(options_.prefix.rfind('/') + 1);
    made = http::redirect(name + "/");
  } else if (role_of(r) == dashboard_role::none) {
    throw http::problem(403, "you may not see this dashboard");
  } else {
    try {
      auto found = co_await dispatch(r, path);
      made = std::move(found);
    } catch (const http::problem&) {
      throw;
    } catch (const decode_error& e) {
      throw http::problem(400, e.what());
    } catch (const error&) {
      rpc::rethrow_as_problem();
    }
  }
  set_security_headers(made);
  co_return made;
}

awaitable<http::response> site::dispatch(http::request& r, std::string_view path) {
  constexpr std::string_view api = "/api/";
  http::response made;
  const bool is_get = r.method() == "GET" || r.method() == "HEAD";
  if (path.starts_with(api)) {
    co_await open();
    auto step = is_get ? read(r, path.substr(api.size())) : write(r, path.substr(api.size()));
    made = co_await std::move(step);
    made.headers.set("Cache-Control", "no-store");
  } else if (!is_get) {
    throw http::problem(405, "only the API is written to", {{"Allow", "GET, HEAD"}});
  } else if (path == "/metrics") {
    co_await open();
    made = co_await metrics();
  } else {
    made = file(r, path);
  }
  co_return made;
}

http::response site::file(const http::request& r, std::string_view path) const {
  if (path == "/") return index_page();
  // /assets/VERSION/NAME, so that modules find each other beside them and may be kept for ever.
  constexpr std::string_view folder = "/assets/";
  const auto name = path.substr(path.rfind('/') + 1);
  const auto* const found = path.starts_with(folder) ? find_file(name) : nullptr;
  if (found == nullptr) throw http::problem(404, "there is no such page");
  const bool takes_gzip = r.headers()["Accept-Encoding"].find("gzip") != std::string_view::npos;
  auto answer = page_of(*found, takes_gzip);
  const auto version = path.substr(folder.size(), path.size() - folder.size() - name.size());
  const bool is_current = version.substr(0, version.find('/')) == web_version();
  answer.headers.set("Cache-Control", is_current ? "private, max-age=31536000, immutable" : "no-cache");
  return answer;
}

awaitable<http::response> site::read(http::request& r, std::string_view what) {
  http::response made;
  if (what == "session") {
    made = co_await session(r);
  } else if (what == "overview") {
    const auto view = co_await reader_->overview();
    made = http::json(view);
  } else if (what == "events") {
    made = co_await events(r);
  } else if (what == "jobs" || what == "count") {
    made = co_await jobs(r);
  } else if (what == "job") {
    made = co_await job(r);
  } else if (what == "errors") {
    const auto view = co_await reader_->errors(required(r, "queue"));
    made = http::json(view);
  } else if (what == "stats") {
    constexpr int default_minutes = 60;
    const std::chrono::minutes last(number<int>(r, "minutes").value_or(default_minutes));
    const auto view = co_await reader_->stats(r.query("queue").value_or(""), last);
    made = http::json(view);
  } else if (what == "workers") {
    const auto view = co_await reader_->workers();
    made = http::json(view);
  } else if (what == "crons") {
    const auto view = co_await reader_->crons();
    made = http::json(view);
  } else if (what == "audit") {
    const auto& latest = audit_.latest();
    const std::vector<audit_view> view(latest.begin(), latest.end());
    made = http::json(view);
  } else {
    throw http::problem(404, "there is no such part of the API");
  }
  co_return made;
}

awaitable<http::response> site::session(http::request& r) {
  session_view view;
  view.broker = broker::without_password(queue_->url());
  view.version = QUARQ_VERSION;
  view.user = codecs::to_utf8(r.user());
  view.role = role_name(role_of(r));
  view.now = now();
  try {
    const auto warnings = co_await reader_->store().warnings();
    for (const auto& one : warnings) view.warnings.push_back(codecs::to_utf8(one));
  } catch (const broker_error&) {
    // The overview says what is wrong.
  }
  co_return http::json(view);
}

awaitable<http::response> site::jobs(http::request& r) {
  auto queue = required(r, "queue");
  auto query = query_of(r);
  auto from = r.query("from").value_or("");
  http::response made;
  if (r.path().ends_with("/count")) {
    const auto view = co_await reader_->count(std::move(queue), std::move(query), std::move(from));
    made = http::json(view);
  } else {
    const auto limit =
        std::clamp<std::size_t>(number<std::size_t>(r, "limit").value_or(default_limit), 1, max_limit);
    const auto view = co_await reader_->jobs(std::move(queue), std::move(query), std::move(from), limit);
    made = http::json(view);
  }
  co_return made;
}

awaitable<http::response> site::job(http::request& r) {
  auto queue = required(r, "queue");
  auto id = required(r, "id");
  const auto view = co_await reader_->job(queue, id);
  if (!view) throw job_not_found(id);
  co_return http::json(*view);
}

awaitable<http::response> site::metrics() {
  const auto view = co_await reader_->overview();
  co_return http::response(200, broker_page(view, now()), quarq::metrics::content_type);
}

// Of one job, where one is named.
awaitable<http::response> site::events(http::request& r) {
  auto id = r.query("id").value_or("");
  auto queue = id.empty() ? std::string() : required(r, "queue");
  if (!id.empty()) {
    const auto view = co_await reader_->job(queue, id);
    if (!view) throw job_not_found(id);
  }
  const auto write = [self = shared_from_this(), queue, id](http::event_writer& out) {
    return id.empty() ? self->tell(out) : self->tell_of_job(out, queue, id);
  };
  auto made = http::events(write);
  made.headers.set("X-Accel-Buffering", "no");  // nginx would keep events back
  co_return made;
}

namespace {

/// Sends what is new, and now and then a sign of life.
class news_sender {
 public:
  explicit news_sender(http::event_writer& out) : out_(out) {}

  awaitable<void> send(std::string text, std::string_view type) {
    if (text != last_) {
      co_await out_.send(text, type);
      last_ = std::move(text);
      said_ = std::chrono::steady_clock::now();
    } else if (std::chrono::steady_clock::now() - said_ >= max_quiet) {
      co_await out_.keep_alive();
      said_ = std::chrono::steady_clock::now();
    }
  }

 private:
  http::event_writer& out_;
  std::string last_;
  std::chrono::steady_clock::time_point said_{};
};

}  // namespace

// All that look get the same overview, of which the broker is asked once.
awaitable<void> site::tell(http::event_writer& out) {
  news_sender news(out);
  while (true) {
    const auto view = co_await reader_->overview();
    auto text = http::detail::json_of_msgpack(to_msgpack(view));
    co_await news.send(std::move(text), "overview");
    co_await sleep_for(events_interval);
  }
}

// Workers say four times a second how far a job is.
awaitable<void> site::tell_of_job(http::event_writer& out, std::string queue, std::string id) {
  news_sender news(out);
  while (true) {
    std::optional<job_view> view;
    bool is_down = false;
    try {
      view = co_await reader_->job(queue, id);
    } catch (const broker_error&) {
      is_down = true;  // the overview says so
    }
    if (!view && !is_down) co_return;  // the page asks once more, and shows what the answer is
    const bool runs = view && view->state == to_string(job_state::running);
    if (view) {
      auto text = http::detail::json_of_msgpack(to_msgpack(*view));
      co_await news.send(std::move(text), "job");
    }
    co_await sleep_for(runs ? running_interval : events_interval);
  }
}

awaitable<done_view> site::change(std::string_view what, std::string body, audit_view& noted) {
  done_view done;
  if (what == "queue") {
    auto asked = body_as<queue_request>(body);
    noted.queue = asked.queue;
    noted.action = asked.action;
    done = co_await change_queue(*reader_, std::move(asked));
  } else if (what == "job") {
    auto asked = body_as<job_request>(body);
    noted.queue = asked.queue;
    noted.action = asked.action;
    noted.what = asked.id;
    done = co_await change_job(*reader_, std::move(asked));
  } else if (what == "bulk") {
    auto asked = body_as<bulk_request>(body);
    noted.queue = asked.queue;
    noted.action = asked.action;
    noted.what = in_words(asked.which);
    done = co_await change_jobs(*reader_, std::move(asked));
  } else if (what == "cron") {
    auto asked = body_as<cron_request>(body);
    noted.queue = asked.queue;
    noted.action = asked.action + " cron";
    noted.what = asked.name;
    done = co_await change_cron(*reader_, std::move(asked));
  } else {
    throw http::problem(404, "there is no such part of the API");
  }
  co_return done;
}

awaitable<http::response> site::write(http::request& r, std::string_view what) {
  if (r.method() != "POST")
    throw http::problem(405, "changes are sent by POST", {{"Allow", "GET, HEAD, POST"}});
  refuse_other_sites(r);
  refuse_other_types(r);
  if (role_of(r) != dashboard_role::operator_)
    throw http::problem(403, "viewers may not change anything; this needs the role operator");
  auto body = co_await r.body();
  audit_view noted;
  noted.at = now();
  noted.user = codecs::to_utf8(r.user());
  noted.peer = r.peer();
  done_view done;
  std::exception_ptr failure;
  try {
    auto result = co_await change(what, std::move(body), noted);
    done = std::move(result);
    noted.outcome = fmt::format("{} {}", done.count, done.outcome);
  } catch (const error& e) {
    failure = std::current_exception();
    noted.outcome = codecs::to_utf8(e.what());
  }
  reader_->forget_overview();
  // Also what failed: a part of it may have been done.
  if (!noted.action.empty()) audit_.add(std::move(noted));
  if (failure) std::rethrow_exception(failure);
  co_return http::json(done);
}

}  // namespace quarq::dashboard
