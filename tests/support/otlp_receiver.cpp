#include "support/otlp_receiver.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <boost/json.hpp>

#include <quarq/time.hpp>

#include "support/default_timeout.hpp"

namespace quarq::test {
namespace {

namespace json = boost::json;

http::server_options any_port_of_receiver() {
  http::server_options options;
  options.port = 0;
  return options;
}

void allow_only(const json::object& of, const std::set<std::string>& names) {
  for (const auto& member : of) {
    if (!names.contains(std::string(member.key())))
      throw std::runtime_error("an unknown member: " + std::string(member.key()));
  }
}

std::string text_of(const json::object& of, const char* name) {
  const auto* const value = of.if_contains(name);
  return value == nullptr ? "" : std::string(value->as_string());
}

std::string id_of(const json::object& of, const char* name, std::size_t digits) {
  const auto id = text_of(of, name);
  if (id.size() != digits || id.find_first_not_of("0123456789abcdef") != id.npos ||
      id.find_first_not_of('0') == id.npos)
    throw std::runtime_error(std::string(name) + " is no id: " + id);
  return id;
}

std::map<std::string, std::string> attributes_of(const json::array& all) {
  std::map<std::string, std::string> found;
  for (const auto& one : all) {
    const auto& attribute = one.as_object();
    allow_only(attribute, {"key", "value"});
    const auto& value = attribute.at("value").as_object();
    allow_only(value, {"stringValue", "intValue"});
    const auto* const number = value.if_contains("intValue");
    const auto key = text_of(attribute, "key");
    const auto text = number != nullptr ? std::string(number->as_string()) : text_of(value, "stringValue");
    if (number != nullptr) std::stoll(text);
    if (!found.emplace(key, text).second) throw std::runtime_error("an attribute twice: " + key);
  }
  return found;
}

void read_links(const json::object& of, received_span& to) {
  const auto* const links = of.if_contains("links");
  if (links == nullptr) return;
  for (const auto& one : links->as_array()) {
    const auto& link = one.as_object();
    allow_only(link, {"traceId", "spanId", "traceState"});
    to.links.emplace_back(id_of(link, "traceId", 32), id_of(link, "spanId", 16));
  }
}

received_span span_of(const json::object& of) {
  allow_only(of, {"traceId", "spanId", "traceState", "parentSpanId", "name", "kind", "startTimeUnixNano",
                  "endTimeUnixNano", "attributes", "links", "droppedLinksCount", "status"});
  received_span one;
  one.trace_id = id_of(of, "traceId", 32);
  one.span_id = id_of(of, "spanId", 16);
  one.trace_state = text_of(of, "traceState");
  if (of.contains("parentSpanId")) one.parent = id_of(of, "parentSpanId", 16);
  one.name = text_of(of, "name");
  one.kind = static_cast<int>(of.at("kind").as_int64());
  one.start_ns = std::stoll(text_of(of, "startTimeUnixNano"));
  one.end_ns = std::stoll(text_of(of, "endTimeUnixNano"));
  if (one.start_ns <= 0 || one.end_ns < one.start_ns) throw std::runtime_error("it ends before its start");
  one.attributes = attributes_of(of.at("attributes").as_array());
  read_links(of, one);
  if (const auto* const status = of.if_contains("status")) {
    allow_only(status->as_object(), {"code", "message"});
    one.status = static_cast<int>(status->at("code").as_int64());
    one.message = text_of(status->as_object(), "message");
  }
  return one;
}

}  // namespace

std::vector<received_span> read_traces(std::string_view text) {
  std::vector<received_span> all;
  const auto request = json::parse(json::string_view(text.data(), text.size())).as_object();
  allow_only(request, {"resourceSpans"});
  for (const auto& of_resource : request.at("resourceSpans").as_array()) {
    allow_only(of_resource.as_object(), {"resource", "scopeSpans"});
    const auto& resource = of_resource.at("resource").as_object();
    allow_only(resource, {"attributes"});
    const auto about = attributes_of(resource.at("attributes").as_array());
    for (const auto& of_scope : of_resource.at("scopeSpans").as_array()) {
      allow_only(of_scope.as_object(), {"scope", "spans"});
      allow_only(of_scope.at("scope").as_object(), {"name", "version"});
      for (const auto& one : of_scope.at("spans").as_array()) {
        all.push_back(span_of(one.as_object()));
        all.back().resource = about;
      }
    }
  }
  return all;
}

struct otlp_receiver::state {
  std::mutex mutex;
  std::condition_variable news;
  std::deque<answer> next;
  bool is_held = false;
  std::vector<received_span> spans;
  std::size_t begun = 0;
  std::vector<http::fields> requests;
  std::string problems;

  awaitable<http::response> take(http::request& r);
  http::response answer_to(http::request& r, const std::string& body);
  void begin() {
    const std::lock_guard lock(mutex);
    ++begun;
    news.notify_all();
  }
  bool holds_back() {
    const std::lock_guard lock(mutex);
    return is_held;
  }
};

awaitable<http::response> otlp_receiver::state::take(http::request& r) {
  const auto body = co_await r.body();
  begin();
  while (holds_back()) co_await sleep_for(std::chrono::milliseconds(1));
  co_return answer_to(r, body);
}

http::response otlp_receiver::state::answer_to(http::request& r, const std::string& body) {
  const std::lock_guard lock(mutex);
  requests.push_back(r.headers());
  answer now;
  if (!next.empty()) {
    now = std::move(next.front());
    next.pop_front();
  }
  try {
    if (r.headers()["Content-Type"] != "application/json") throw std::runtime_error("it is no JSON");
    auto read = read_traces(body);
    if (now.status == 200) spans.insert(spans.end(), read.begin(), read.end());
  } catch (const std::exception& e) {
    problems += std::string(e.what()) + "\n";
  }
  news.notify_all();
  http::response made(now.status, now.body, "application/json");
  if (!now.retry_after.empty()) made.headers.set("Retry-After", now.retry_after);
  return made;
}

otlp_receiver::otlp_receiver() : state_(std::make_shared<state>()), web_(any_port_of_receiver()) {
  web_.post("/v1/traces", [state = state_](http::request& r) { return state->take(r); });
  running_ = std::make_unique<served>(web_);
}

otlp_receiver::~otlp_receiver() {
  open();
}

std::string otlp_receiver::endpoint() const {
  return "http://127.0.0.1:" + std::to_string(running_->port);
}

void otlp_receiver::answer_next(std::vector<answer> answers) {
  const std::lock_guard lock(state_->mutex);
  state_->next.assign(answers.begin(), answers.end());
}

void otlp_receiver::hold() {
  const std::lock_guard lock(state_->mutex);
  state_->is_held = true;
}

void otlp_receiver::open() {
  const std::lock_guard lock(state_->mutex);
  state_->is_held = false;
}

std::vector<received_span> otlp_receiver::spans() const {
  const std::lock_guard lock(state_->mutex);
  return state_->spans;
}

std::size_t otlp_receiver::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests.size();
}

std::vector<std::string> otlp_receiver::headers(const std::string& name) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> values;
  for (const auto& fields : state_->requests) values.emplace_back(fields[name]);
  return values;
}

std::string otlp_receiver::problems() const {
  const std::lock_guard lock(state_->mutex);
  return state_->problems;
}

bool otlp_receiver::wait_for_requests(std::size_t count) const {
  std::unique_lock lock(state_->mutex);
  return state_->news.wait_for(lock, default_timeout, [&] { return state_->begun >= count; });
}

bool otlp_receiver::wait_for_spans(std::size_t count) const {
  std::unique_lock lock(state_->mutex);
  return state_->news.wait_for(lock, default_timeout, [&] { return state_->spans.size() >= count; });
}

}  // namespace quarq::test
