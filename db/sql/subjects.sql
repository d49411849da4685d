-- The format of this file: README.md in this folder.

-- page: subjects
-- Subjects, by name.
SELECT j.id, j.code, j.name, j.description, j.credits, j.is_active, j.created_at, j.updated_at, j.version
FROM subjects j
WHERE true
-- public: every member of the school may know what is taught, assessed and charged for
-- key: j.id
-- order name text: fold_name(j.name)
-- order code text: j.code
-- flag is_active: j.is_active
-- filter codes: j.code = ANY($codes::text[])
-- filter name_prefix: fold_name(j.name) >= fold_name($name_prefix) AND fold_name(j.name) < (fold_name($name_prefix) || U&'\+10FFFF')
-- per teacher: j.id IN (SELECT ts.subject_id FROM teacher_subjects ts WHERE ts.teacher_id = $parent)
-- per class: j.id IN (SELECT cs.subject_id FROM class_subjects cs WHERE cs.class_id = $parent)
-- by id uuid: j.id

-- page: assessment_types
-- Types of assessment, by name.
SELECT y.id, y.code, y.name, y.weight, y.is_active, y.created_at, y.updated_at, y.version
FROM assessment_types y
WHERE true
-- public: every member of the school may know what is taught, assessed and charged for
-- key: y.id
-- order name text: fold_name(y.name)
-- order code text: y.code
-- flag is_active: y.is_active
-- filter codes: y.code = ANY($codes::text[])
-- filter name_prefix: fold_name(y.name) >= fold_name($name_prefix) AND fold_name(y.name) < (fold_name($name_prefix) || U&'\+10FFFF')
-- by id uuid: y.id

-- page: fee_categories
-- What is charged for, by name.
SELECT f.id, f.code, f.name, f.description, round(f.default_amount, currency_exponent(f.currency)) AS default_amount, f.currency, f.is_active, f.created_at, f.updated_at, f.version
FROM fee_categories f
WHERE true
-- public: every member of the school may know what is taught, assessed and charged for
-- key: f.id
-- order name text: fold_name(f.name)
-- order code text: f.code
-- flag is_active: f.is_active
-- filter codes: f.code = ANY($codes::text[])
-- by id uuid: f.id

-- record: subjects
-- What is taught.
code name description credits is_active

-- record: assessment_types
-- How students are assessed.
code name weight is_active

-- record: fee_categories
-- What is charged for.
code name description default_amount currency is_active

-- table: subjects
-- What is taught.
code name description credits is_active
-- personal: none – they describe the curriculum

-- table: assessment_types
-- Kinds of assessments.
code name weight is_active
-- personal: none – they are rules of the school

-- table: fee_categories
-- What students are charged for.
code name description default_amount currency is_active
-- personal: none – they are rules of the school
