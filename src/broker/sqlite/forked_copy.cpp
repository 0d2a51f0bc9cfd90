#include "broker/sqlite/forked_copy.hpp"

#include <atomic>

#include <fmt/format.h>
#include <unistd.h>

#include <quarq/errors.hpp>

namespace quarq::broker::sqlite {

namespace {

std::atomic<int> in_use{0};
/// The process that `in_use` is true of.
std::atomic<int> user{0};

}  // namespace

void refuse_in_forked_copy() {
  const int process = getpid();
  if (in_use == 0 || user == process) return;
  throw usage_error(fmt::format(
      "process {} is a copy, made by fork(), of process {}, which was using a sqlite: broker: the copy "
      "can't use one; make queues only after fork(), or start a program with exec",
      process, user.load()));
}

database_in_use::database_in_use() : process_(getpid()) {
  refuse_in_forked_copy();
  user = process_;
  ++in_use;
}

database_in_use::~database_in_use() {
  if (!is_forked_copy()) --in_use;
}

bool database_in_use::is_forked_copy() const noexcept {
  return process_ != getpid();
}

}  // namespace quarq::broker::sqlite
