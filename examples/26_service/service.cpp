// A JSON service that hands its work to the workers of a queue: it answers at once with the job's id, and says later
// what has become of it. To be tried with the worker of 01_hello:
//   curl -d '{"text": "one two"}' -H 'Content-Type: application/json' localhost:8080/texts
//   curl localhost:8080/texts/ID
#include <optional>
#include <string>

#include <boost/describe.hpp>

#include <quarq/http/server.hpp>
#include <quarq/queue.hpp>

#include "../01_hello/tasks.hpp"

struct new_text {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(new_text, (), (text))

struct counted_text {
  std::string id;
  std::string state;
  std::optional<int> words;
};
BOOST_DESCRIBE_STRUCT(counted_text, (), (id, state, words))

quarq::awaitable<quarq::http::response> count(quarq::http::request& request, new_text body) {
  auto call = count_words(body.text).keep_result(std::chrono::minutes(10));
  auto job = co_await request.state<quarq::queue>().enqueue(std::move(call));
  counted_text accepted;
  accepted.id = job.id();
  accepted.state = "queued";
  auto answer = quarq::http::json(accepted, 202);
  answer.headers.set("Location", "/texts/" + accepted.id);
  co_return answer;
}

quarq::awaitable<counted_text> look(std::string id, quarq::http::request& request) {
  auto job = request.state<quarq::queue>().find<int>(id);
  counted_text found;
  found.id = id;
  try {
    const auto state = co_await job.state();
    found.state = to_string(state);
    if (state == quarq::job_state::succeeded) {
      const int words = co_await job.result();
      found.words = words;
    }
  } catch (const quarq::job_not_found&) {
    throw quarq::http::problem(404, "there is no such text, or it was counted long ago");
  }
  co_return found;
}

int main(int argc, char** argv) {
  quarq::queue queue;
  quarq::http::server server;
  server.use(quarq::http::access_log());
  server.provide(queue);
  server.post("/texts", count);
  server.get("/texts/{id}", look);
  return server.main(argc, argv);  // until SIGTERM or Ctrl-C, which lets requests end
}
