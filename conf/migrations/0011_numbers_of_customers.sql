CREATE INDEX customer_number_customer ON customer_number (customer_id);
