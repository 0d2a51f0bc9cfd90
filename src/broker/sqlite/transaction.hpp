// Enqueue inside a transaction of one's own: an order and its e-mail job are stored both, or neither.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"

struct sqlite3;

namespace quarq::broker::sqlite {

/// Throws usage_error unless the connection's main database is this file.
void check_is_open_on(sqlite3* db, const std::string& file);

/// Stores the jobs through the caller's connection: inside its transaction, if one is open, and rolled back
/// with it; in one of their own otherwise. Makes quarq's tables in the main database if they are missing.
/// Workers on the file wake when it is committed. Answers in the order of `jobs`.
///
/// Throws usage_error as broker::enqueue does, and broker_error where SQLite refuses (locked, full...);
/// nothing of the call is stored then, and the caller's transaction stays open. The connection must be of the
/// SQLite library that quarq is linked with, and 3.37 or newer.
std::vector<accepted> enqueue_in_transaction(sqlite3* db, std::string_view queue,
                                             std::span<const new_job> jobs);

}  // namespace quarq::broker::sqlite
