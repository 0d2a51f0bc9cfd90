// What Python's arq does on its keys, by hand, and looks at a server.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/redis_server.hpp"

namespace quarq::test {

/// arq://, with these parameters: "?codec=msgpack".
std::string arq_url(const redis_server& server, std::string_view parameters = "");

std::int64_t now_ms();
redis::reply ask(const redis_server& server, std::vector<std::string> words);
std::int64_t ask_number(const redis_server& server, std::vector<std::string> words);
/// Nothing if the id is not in the queue.
std::optional<double> score_of(const redis_server& server, std::string id, std::string queue = "arq:queue");

std::string from_hex(std::string_view digits);

/// the_task(1, "x", a=True), enqueued at 1700000000000, as Python 3.11 pickles it.
std::string python_payload();
/// Its result 42, of id1.
std::string python_result();
/// enqueue_job: a score of now plus `delay`.
void python_enqueue(const redis_server& server, std::string id, std::string payload = python_payload(),
                    std::int64_t delay_ms = 0, std::string queue = "arq:queue");
void python_enqueue_at(const redis_server& server, std::string id, std::string score,
                       std::string payload = python_payload(), std::string queue = "arq:queue");
/// A worker that starts the job, and one that ends it with a result.
void python_start(const redis_server& server, std::string id, std::int64_t timeout_ms = 310'000);
void python_finish(const redis_server& server, std::string id, std::string result = python_result());
/// Job.abort(), its first part.
void python_abort(const redis_server& server, std::string id, std::int64_t at_ms = now_ms());

}  // namespace quarq::test
