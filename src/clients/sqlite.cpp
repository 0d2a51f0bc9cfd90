#include <exception>
#include <vector>

#include <quarq/errors.hpp>
#include <quarq/sqlite.hpp>

#include "broker/sqlite/transaction.hpp"
#include "clients/enqueue_spans.hpp"
#include "clients/new_job.hpp"
#include "clients/queue_impl.hpp"

namespace quarq::detail {

job_handle enqueue_in_transaction(sqlite3* db, const queue& where, call_data call) {
  if (!where.broker_url().starts_with("sqlite:")) {
    throw usage_error("sqlite::enqueue needs a queue on a sqlite: broker, and this queue's is " +
                      broker::without_password(where.broker_url()));
  }
  broker::sqlite::check_is_open_on(db, broker::file_of(where.broker_url()));
  const auto& queue = queue_access::impl(where);
  std::vector<call_data> one;
  one.push_back(std::move(call));
  const auto spans = clients::enqueue_spans::begin(*queue, one, nullptr);
  auto job = clients::to_job(std::move(one.front()));
  try {
    const auto answers = broker::sqlite::enqueue_in_transaction(db, where.name(), {&job, 1});
    if (answers.front() != broker::accepted::yes) throw duplicate_job(job.id);
  } catch (const std::exception& e) {
    if (spans) spans->failed(e);
    throw;
  }
  if (spans) spans->ended({{job.id, true}});
  return job_handle(queue, std::move(job.id));
}

}  // namespace quarq::detail
