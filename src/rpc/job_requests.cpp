#include "rpc/job_requests.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/http/problem.hpp>
#include <quarq/msgpack.hpp>

#include "base/duration_text.hpp"
#include "codecs/iso8601.hpp"
#include "codecs/json.hpp"
#include "codecs/json_text.hpp"
#include "codecs/utf8.hpp"
#include "rpc/path_text.hpp"
#include "rpc/wire.hpp"

namespace quarq::rpc {
namespace {

std::optional<milliseconds> duration_of(const http::request& r, std::string_view name) {
  const auto text = r.query(name);
  if (!text) return std::nullopt;
  return base::parse_duration(name, *text);
}

std::optional<int> number_of(const http::request& r, std::string_view name) {
  const auto text = r.query(name);
  if (!text) return std::nullopt;
  int value = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (text->empty() || failed != std::errc() || end != text->data() + text->size())
    throw usage_error(fmt::format("{}: expected a number, got \"{}\"", name, codecs::printable(*text, 40)));
  return value;
}

detail::call_options options_of(const http::request& r) {
  detail::call_options o;
  o.id = r.query("id");
  if (!o.id && r.headers().contains("Idempotency-Key")) o.id = std::string(r.headers()["Idempotency-Key"]);
  o.delay = duration_of(r, "delay").value_or(milliseconds{0});
  o.expires = duration_of(r, "expires");
  o.timeout = duration_of(r, "timeout");
  o.priority = number_of(r, "priority");
  o.attempts = number_of(r, "attempts");
  if (r.query("keep") == "forever") {
    o.keep_result = forever;
  } else if (const auto keep = duration_of(r, "keep")) {
    o.keep_result = retention(*keep);
  }
  return o;
}

void set_arguments(detail::call_data& call, encoding e, std::string_view body) {
  constexpr std::string_view no_arguments = "\x90";
  call.arguments = no_arguments;
  if (body.empty()) return;
  auto value = value_of(e, body);
  const auto type = decoder(value).peek();
  if (type == value_type::array) {
    call.arguments = std::move(value);
  } else if (type != value_type::map) {
    throw usage_error(call.task +
                      ": expected the arguments as an array, or as an object with the parameters' names");
  } else if (decoder(value).map() != 0) {
    call.keywords = std::move(value);
  }
}

// A JSON object whose members are given one by one.
class object {
 public:
  object& text(std::string_view name, std::string_view value) {
    return json(name, codecs::json_string(value));
  }
  object& text_if(std::string_view name, std::string_view value) {
    return value.empty() ? *this : text(name, value);
  }
  object& time(std::string_view name, const std::optional<job_info::time_point>& value) {
    if (!value) return *this;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*value);
    const auto rest = std::chrono::nanoseconds(*value - seconds);
    return text(name, codecs::to_iso8601(
                          {seconds.time_since_epoch().count(), static_cast<std::uint32_t>(rest.count())}));
  }
  object& json(std::string_view name, std::string_view value) {
    text_ += fmt::format("{}\"{}\": {}", text_.empty() ? "" : ", ", name, value);
    return *this;
  }
  std::string str() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

}  // namespace

detail::call_data call_of(std::string task, const http::request& r, std::string_view body) {
  const auto type = r.headers()["Content-Type"];
  const auto e = encoding_of(type);
  if (!e) {
    throw http::problem(415, "the arguments must be application/json or application/msgpack, not " +
                                 codecs::printable(type, 80));
  }
  detail::call_data call;
  call.task = std::move(task);
  try {
    call.options = options_of(r);
    set_arguments(call, *e, body);
  } catch (const syntax_error& error) {
    throw http::problem(400, error.what());
  } catch (const error& error) {
    throw http::problem(422, error.what());
  }
  return call;
}

std::optional<milliseconds> wait_of(const http::request& r, milliseconds max) {
  try {
    const auto wait = duration_of(r, "wait");
    if (!wait) return std::nullopt;
    return std::min(*wait, max);
  } catch (const usage_error& error) {
    throw http::problem(422, error.what());
  }
}

std::string to_json(const job_info& job) {
  object out;
  out.text("id", job.id).text_if("task", job.task).text("state", to_string(job.state));
  out.json("attempts", std::to_string(job.attempts));
  if (!job.result.empty()) out.json("result", job.result);
  out.text_if("error_type", job.error_type).text_if("error", job.error);
  out.time("enqueued_at", job.enqueued_at).time("due_at", job.due_at).time("finished_at", job.finished_at);
  return out.str();
}

std::string to_json(const std::string& id, job_state state, const model::outcome& end) {
  object out;
  out.text("id", id).text_if("task", end.task).text("state", to_string(state));
  out.json("attempts", std::to_string(end.attempts));
  if (state == job_state::succeeded)
    out.json("result", end.result.empty() ? "null" : codecs::to_json(end.result));
  out.text_if("error_type", end.error_type).text_if("error", end.error);
  return out.str();
}

std::string location_of(std::string_view id) {
  return "/jobs/" + path_text(id);
}

}  // namespace quarq::rpc
