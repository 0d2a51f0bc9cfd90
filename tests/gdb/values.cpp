// What tests/gdb/check.py looks at in gdb. A line "// gdb: NAME: TEXT" says what gdb must print for that variable; in
// the place of <...> may be any text.
#include <chrono>
#include <exception>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <variant>

#include <quarq/bytes.hpp>
#include <quarq/call.hpp>
#include <quarq/context.hpp>
#include <quarq/job.hpp>
#include <quarq/outcome.hpp>
#include <quarq/queue.hpp>
#include <quarq/retention.hpp>
#include <quarq/run.hpp>
#include <quarq/task.hpp>
#include <quarq/testing.hpp>
#include <quarq/worker.hpp>

using namespace std::chrono_literals;

struct no_such_page : std::runtime_error {
  using runtime_error::runtime_error;
};

constexpr quarq::task<int(std::string text, int copies)> count_words{"count_words", "text", "copies"};

void look_at(const void*) {}

void stop_here() {}

// A handler, so that there is a context.
int look_at_all(quarq::context& context, std::string text, int copies) {
  // gdb: context: "count_words" job "<01J>" = {queue = "default", attempt = 1, losses = 0, arguments = ("to be", 2)}
  // gdb: good: ok = {value = 5}
  const quarq::outcome<int> good(5);
  // gdb: done: ok
  const quarq::outcome<void> done{std::monostate()};
  // gdb: words: ok = {value = "a b"}
  const quarq::outcome<std::string> words(std::string("a b"));
  const auto lost = std::make_exception_ptr(no_such_page("not here"));
  // gdb: bad: error: no_such_page: "not here"
  const quarq::outcome<int> bad(lost);
  // gdb: odd: error: int
  const quarq::outcome<int> odd(std::make_exception_ptr(7));
  // gdb: data: 4 bytes b"GIF\x01"
  const quarq::bytes data = quarq::to_bytes("GIF\x01");
  // gdb: none: 0 bytes b""
  const quarq::bytes none;
  // gdb: always: forever
  const quarq::retention always = quarq::forever;
  // gdb: shortly: 600000ms
  const quarq::retention shortly = 10min;
  // gdb: plain: count_words("to be", 2)
  const auto plain = count_words(text, copies);
  // gdb: urgent: count_words("x", -3) = {priority = 9, timeout = 5000ms}
  const auto urgent = count_words("x", -3).priority(9).timeout(5s);
  // gdb: task: count_words(text, copies)
  const auto task = count_words;
  // gdb: job: job "01J"
  const quarq::job<int> job{quarq::detail::job_handle(nullptr, "01J")};
  // gdb: queue: queue <at 0x1>
  const quarq::queue queue("sqlite:never_opened.db");
  for (const void* each :
       std::initializer_list<const void*>{&good, &done, &words, &bad, &odd, &data, &none, &always, &shortly,
                                          &plain, &urgent, &task, &job, &queue, &context}) {
    look_at(each);
  }
  stop_here();
  return copies;
}

int main() {
  quarq::worker worker;
  worker.handle(count_words, look_at_all);
  const auto call = count_words("to be", 2);
  return quarq::run(quarq::testing::run_now(worker, call)) == 2 ? 0 : 1;
}
