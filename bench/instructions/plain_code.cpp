// Paths without a loop, a thread or a store.
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include <quarq/model.hpp>
#include <quarq/msgpack.hpp>

#include "../tasks.hpp"
#include "clients/new_job.hpp"
#include "http/message/parser.hpp"
#include "model/record.hpp"
#include "recorder.hpp"

namespace quarq::bench::instructions {

struct counted_profile {
  std::int64_t id = 0;
  std::string name, email, city;
  int age = 0;
  double height = 0;
  bool active = false;
  std::optional<std::string> note;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(counted_profile, (), (id, name, email, city, age, height, active, note, tags))
QUARQ_MODEL(counted_profile, field(&counted_profile::id).at_least(1),
            field(&counted_profile::name).length(1, 80), field(&counted_profile::email).format(format::email),
            field(&counted_profile::age).range(0, 150), field(&counted_profile::tags).length(0, 10))

namespace {

constexpr std::string_view profile_text =
    R"({"id": 12345, "name": "Ann Example", "email": "ann@example.org", "city": "Springfield", "age": 42, )"
    R"("height": 1.75, "active": true, "note": "Likes to read and to write mail.", "tags": ["red", "new"]})";

constexpr std::string_view request_text =
    "GET /users/42?fields=name,email HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\n"
    "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef; theme=dark\r\n\r\n";

void require(bool holds) {
  if (!holds) throw std::runtime_error("a path did not do what is counted");
}

template <class Work>
void count(recorder& to, const char* path, std::size_t units, const Work& work) {
  for (int i = 0; i < times; ++i) {
    to.begin();
    for (std::size_t k = 0; k < units; ++k) work();
    to.end(path, units);
  }
}

void parse_request() {
  http::request_parser parser;
  auto rest = request_text;
  for (auto event = http::parse_event::needs_more; event != http::parse_event::end;) {
    const auto step = parser.feed(rest);
    rest.remove_prefix(step.used);
    event = step.event;
    require(event != http::parse_event::failed && event != http::parse_event::needs_more);
  }
  require(parser.headers().size() == 6);
}

}  // namespace

void count_plain_code(recorder& to) {
  constexpr std::size_t some = 1'000;
  const auto text = argument();
  count(to, "encode a call as a job", some, [&] {
    const auto job = clients::to_job(detail::call_access::take(measure(text)));
    require(!job.record.empty());
  });
  const auto job = clients::to_job(detail::call_access::take(measure(text)));
  count(to, "decode a job and its arguments", some, [&] {
    const auto record = model::decode_record(job.record);
    const auto arguments = measure.decode(record.arguments);
    require(std::get<0>(arguments).size() == text.size());
  });
  model::outcome ended;
  ended.task = "measure";
  ended.attempts = 1;
  ended.worker = "host:1234";
  ended.enqueued_ms = ended.started_ms = ended.finished_ms = 1'700'000'000'000;
  ended.result = to_msgpack(std::int64_t{120});
  count(to, "encode and decode an outcome", some, [&] {
    const auto back = model::decode_outcome(model::encode(ended));
    require(back.attempts == 1);
  });
  count(to, "parse JSON into a model", some, [] {
    const auto profile = parse_json<counted_profile>(profile_text);
    require(profile.tags.size() == 2);
  });
  count(to, "parse a request of HTTP", some, parse_request);
}

}  // namespace quarq::bench::instructions
