#include <quarq/errors.hpp>
#include <quarq/sqlite.hpp>

#include "broker/sqlite/transaction.hpp"
#include "clients/new_job.hpp"
#include "clients/queue_impl.hpp"

namespace quarq::detail {

job_handle enqueue_in_transaction(sqlite3* db, const queue& where, call_data call) {
  if (!where.broker_url().starts_with("sqlite:")) {
    throw usage_error("sqlite::enqueue needs a queue on a sqlite: broker, and this queue's is " +
                      broker::without_password(where.broker_url()));
  }
  broker::sqlite::check_is_open_on(db, broker::file_of(where.broker_url()));
  auto job = clients::to_job(std::move(call));
  const auto answers = broker::sqlite::enqueue_in_transaction(db, where.name(), {&job, 1});
  if (answers.front() != broker::accepted::yes) throw duplicate_job(std::move(job.id));
  return job_handle(queue_access::impl(where), std::move(job.id));
}

}  // namespace quarq::detail
