// What the tests of the SQLite broker share.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <sqlite3.h>

#include <quarq/errors.hpp>

#include "broker/sqlite/broker.hpp"
#include "integration/broker_conformance.hpp"

namespace quarq::test {

/// A connection of the user's own.
class user_connection {
 public:
  explicit user_connection(const std::string& file) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db_));
    sqlite3_busy_timeout(db_, 10'000);
  }
  user_connection(const user_connection&) = delete;
  user_connection& operator=(const user_connection&) = delete;
  ~user_connection() { sqlite3_close(db_); }

  sqlite3* get() const { return db_; }
  void run(const char* sql) {
    char* error = nullptr;
    if (sqlite3_exec(db_, sql, nullptr, nullptr, &error) == SQLITE_OK) return;
    const std::string text = error ? error : "?";
    sqlite3_free(error);
    throw std::runtime_error(std::string(sql) + ": " + text);
  }
  int number(const char* sql) {
    int found = -1;
    const auto take = [](void* into, int, char** values, char**) {
      *static_cast<int*>(into) = std::stoi(values[0]);
      return 0;
    };
    if (sqlite3_exec(db_, sql, take, &found, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(db_));
    return found;
  }

 private:
  sqlite3* db_ = nullptr;
};

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A broker that shares nothing with others of this process.
inline std::shared_ptr<broker::broker> open_alone(broker::sqlite::database_settings settings,
                                                  any_io_executor loop) {
  auto own = std::make_shared<broker::sqlite::writer_thread>(std::move(settings));
  return std::make_shared<broker::sqlite::sqlite_broker>(own, std::move(loop), broker::open_options());
}

/// What a call says that is refused by the broker.
struct refusal {
  std::string text = "(no error)";
  broker_error::reason why = broker_error::reason::unknown;
  bool store_gone = false;
};
template <class T>
awaitable<refusal> refusal_of(awaitable<T> call) {
  refusal said;
  try {
    co_await std::move(call);
  } catch (const broker_error& e) {
    said.text = e.what();
    said.why = e.why();
    said.store_gone = dynamic_cast<const broker::store_gone*>(&e) != nullptr;
  }
  co_return said;
}

}  // namespace quarq::test
