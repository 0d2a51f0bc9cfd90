// SQLite must not be used in a copy of a process that was made by fork() while a database was open: the copy
// has its locks in memory, but neither the locks nor the threads.
#pragma once

namespace quarq::broker::sqlite {

/// Throws usage_error if this process is such a copy. Takes no lock, since in a copy it might never be free.
void refuse_in_forked_copy();

/// While one exists, the process counts as one with an open database. Throws as refuse_in_forked_copy does.
class database_in_use {
 public:
  database_in_use();
  ~database_in_use();
  database_in_use(const database_in_use&) = delete;
  database_in_use& operator=(const database_in_use&) = delete;

  /// Whether this object is a copy made by fork().
  bool is_forked_copy() const noexcept;

 private:
  const int process_;
};

}  // namespace quarq::broker::sqlite
