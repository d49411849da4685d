-- The format of this file: README.md in this folder.

-- page: academic_years
-- Academic years, by their start.
SELECT y.id, y.name, y.start_date, y.end_date, y.is_current, y.created_at, y.updated_at, y.version
FROM academic_years y
WHERE true
-- public: every member of the school may know its calendar
-- key: y.id
-- order start_date date: y.start_date
-- order end_date date: y.end_date
-- flag is_current: y.is_current
-- filter on: y.start_date <= $on AND y.end_date >= $on
-- by id uuid: y.id

-- page: semesters
-- Semesters, by their start.
SELECT m.id, m.academic_year_id, m.name, m.start_date, m.end_date, m.is_current, m.posting_opens_at, m.posting_closes_at,
    m.created_at, m.updated_at, m.version
FROM semesters m
WHERE true
-- public: every member of the school may know its calendar
-- key: m.id
-- order start_date date: m.start_date
-- flag is_current: m.is_current
-- filter academic_year_ids: m.academic_year_id = ANY($academic_year_ids::uuid[])
-- filter on: m.start_date <= $on AND m.end_date >= $on
-- per academic_year: m.academic_year_id = $parent
-- by id uuid: m.id

-- page: holidays
-- Days without school, by their start.
SELECT h.id, h.academic_year_id, h.name, h.start_date, h.end_date, h.created_at, h.updated_at, h.version
FROM holidays h
WHERE true
-- public: every member of the school may know its calendar
-- key: h.id
-- order start_date date: h.start_date
-- filter from_day: h.end_date >= $from_day
-- per academic_year: h.academic_year_id = $parent
-- by id uuid: h.id

-- name: school
-- The school's settings, and what day it is there.
SELECT s.id, s.name, s.time_zone, s.currency, s.full_day_minutes, s.school_days, s.rounding_mode, s.rounding_decimals, s.missing_counts_as, s.shows_rank,
    school_today() AS today, s.created_at, s.updated_at, s.version
FROM school_settings s

-- name: schools_by_id
-- The school's settings by their id, as a node.
SELECT s.id, s.name, s.time_zone, s.currency, s.full_day_minutes, s.school_days, s.rounding_mode, s.rounding_decimals, s.missing_counts_as, s.shows_rank,
    school_today() AS today, s.created_at, s.updated_at, s.version
FROM school_settings s
WHERE s.id = ANY($keys::uuid[])

-- page: periods
-- The periods of a school day, by their start.
SELECT p.id, p.name, p.start_time, p.end_time, p.created_at, p.updated_at, p.version
FROM periods p
WHERE true
-- public: every member of the school may know its calendar
-- key: p.id
-- order start_time time: p.start_time
-- by id uuid: p.id

-- name: leave_current_year
-- No academic year is the current one but this; what a client says of it follows.
UPDATE academic_years SET is_current = false WHERE is_current AND id <> $id::uuid

-- name: lock_lesson
-- Holds what a class is taught alone until the transaction ends: who makes an assessment in it waits, and finds it gone.
SELECT cs.id FROM class_subjects cs WHERE cs.id = $id::uuid FOR UPDATE

-- name: lessons_with_assessments
-- Whether anything was assessed in what a class is taught.
SELECT EXISTS (
    SELECT FROM class_subjects cs
    JOIN assessments a ON (a.class_id, a.subject_id, a.semester_id) = (cs.class_id, cs.subject_id, cs.semester_id)
    WHERE cs.id = $id::uuid
)

-- record: academic_years
-- School years.
name start_date end_date is_current

-- record: semesters
-- Parts of a school year.
academic_year_id name start_date end_date is_current posting_opens_at posting_closes_at

-- record: holidays
-- Days without school.
academic_year_id name start_date end_date

-- record: periods
-- The periods of a school day.
name start_time end_time

-- record: school_settings
-- The school's name, clock, currency and policies.
name time_zone currency full_day_minutes rounding_mode rounding_decimals missing_counts_as shows_rank school_days

-- table: academic_years
-- School years.
name start_date end_date is_current
-- personal: none – they describe the calendar

-- table: semesters
-- The parts of school years.
academic_year_id name start_date end_date is_current posting_opens_at posting_closes_at
-- personal: none – they describe the calendar

-- table: holidays
-- Days without school.
academic_year_id name start_date end_date
-- personal: none – they describe the calendar

-- table: periods
-- The lessons of a day.
name start_time end_time
-- personal: none – they describe the timetable

-- table: school_settings
-- One row with the school's settings.
singleton name time_zone currency full_day_minutes rounding_mode rounding_decimals missing_counts_as shows_rank school_days
-- personal: none – they describe the school
